# Known answers of R's survival package for tests/unit/survival.
# Usage: Rscript tests/golden/survival.R <output.json>
suppressPackageStartupMessages(library(survival))
out <- commandArgs(trailingOnly = TRUE)
if (length(out) != 1) stop("usage: Rscript tests/golden/survival.R <output.json>")

# R has no JSON writer of its own; 15 digits are all that the printed double holds safely
json <- function(x) {
  if (is.list(x)) {
    body <- vapply(x, json, "")
    if (is.null(names(x))) return(paste0("[", paste(body, collapse = ","), "]"))
    return(paste0("{", paste0('"', names(x), '":', body, collapse = ",\n"), "}"))
  }
  if (is.character(x)) return(paste0('"', x, '"', collapse = ","))
  text <- ifelse(is.na(x) | is.infinite(x), "null", format(x, digits = 15, trim = TRUE, scientific = TRUE))
  if (length(x) == 1) text else paste0("[", paste(text, collapse = ","), "]")
}

set <- data.frame(
  t = c(1, 1, 2, 2, 2, 3, 4, 4, 5, 6), e = c(1, 1, 1, 1, 0, 1, 0, 1, 1, 0),
  x = c(2, 1, 1.5, -1, .5, 1, 0, -.5, .3, -1), w = c(1, 2, 1, 1, 3, 1, 1, 2, 1, 1),
  g = rep(0:1, each = 5), entry = c(0, 0, 0, 1, 1, 0, 2, 0, 3, 1)
)

km <- function(f) {
  list(time = f$time, at_risk = f$n.risk, survival = f$surv, se = f$surv * f$std.err, lower = f$lower,
       upper = f$upper, hazard = f$cumhaz, median = unname(quantile(f, .5)$quantile))
}

strict <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 60)

cox <- function(f) {
  list(beta = unname(coef(f)), se = unname(sqrt(diag(if (is.null(f$naive.var)) f$var else f$naive.var))),
       loglik_null = f$loglik[1], loglik = f$loglik[2])
}

both <- function(fit) list(efron = cox(fit("efron")), breslow = cox(fit("breslow")))

conc <- function(f) {
  count <- if (is.matrix(f$count)) colSums(f$count) else f$count
  list(c = unname(f$concordance), variance = unname(f$var), count = unname(count), influence = unname(f$dfbeta))
}

fit <- coxph(Surv(t, e) ~ x, set, ties = "breslow", control = strict)
hazard <- basehaz(fit, centered = FALSE)

issue428 <- data.frame(t = c(11, 11, 26, 89, 128, 299, 300), e = c(1, 0, 0, 1, 0, 1, 0),
                       x = c(-.02, 1.2, -.56, -1.33, -.81, 1.02, -1.29))

d <- na.omit(lung[, c("time", "status", "age", "sex", "ph.ecog")])
d$dead <- d$status - 1
full <- coxph(Surv(time, dead) ~ age + sex + ph.ecog, d)
age <- coxph(Surv(time, dead) ~ age, d)
pair <- concordance(full, age)
test <- function(f) list(statistic = f$chisq, p = pchisq(f$chisq, length(f$n) - 1, lower.tail = FALSE))

# strongly separated groups: a p-value far below what 1 - pchisq can give
far <- data.frame(t = c(1:60, 101:160), e = 1, g = rep(0:1, each = 60))

writeLines(json(list(
  versions = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival"))),
  set_t = list(
    km = km(survfit(Surv(t, e) ~ 1, set, conf.type = "log-log", robust = FALSE)),
    km_weighted = km(survfit(Surv(t, e) ~ 1, set, conf.type = "log-log", robust = FALSE, weights = w)),
    km_truncated = km(survfit(Surv(entry, t, e) ~ 1, set, conf.type = "log-log", robust = FALSE)),
    cox = both(function(ties) coxph(Surv(t, e) ~ x, set, ties = ties, control = strict)),
    cox_exact = cox(coxph(Surv(t, e) ~ x, set, ties = "exact", control = strict)),
    cox_weights = both(function(ties) coxph(Surv(t, e) ~ x, set, weights = w, ties = ties, control = strict)),
    cox_strata = both(function(ties) coxph(Surv(t, e) ~ x + strata(g), set, ties = ties, control = strict)),
    cox_entry = both(function(ties) coxph(Surv(entry, t, e) ~ x, set, ties = ties, control = strict)),
    cox_ridge = both(function(ties) coxph(Surv(t, e) ~ ridge(x, theta = .5, scale = FALSE), set, ties = ties, control = strict)),
    basehaz = list(time = hazard$time, hazard = hazard$hazard),
    harrell = conc(concordance(Surv(t, e) ~ x, set, reverse = TRUE, influence = 1)),
    harrell_weights = conc(concordance(Surv(t, e) ~ x, set, weights = w, reverse = TRUE, influence = 1)),
    harrell_strata = conc(concordance(Surv(t, e) ~ x + strata(g), set, reverse = TRUE, influence = 1)),
    harrell_entry = conc(concordance(Surv(entry, t, e) ~ x, set, reverse = TRUE, influence = 1)),
    uno = conc(concordance(Surv(t, e) ~ x, set, timewt = "n/G2", reverse = TRUE, influence = 1)),
    uno_tau5 = conc(concordance(Surv(t, e) ~ x, set, timewt = "n/G2", ymax = 5, reverse = TRUE, influence = 1)),
    uno_tau4 = conc(concordance(Surv(t, e) ~ x, set, timewt = "n/G2", ymax = 4, reverse = TRUE, influence = 1)),
    logrank = test(survdiff(Surv(t, e) ~ g, set)),
    peto = test(survdiff(Surv(t, e) ~ g, set, rho = 1))
  ),
  issue428 = list(
    harrell = conc(concordance(Surv(t, e) ~ x, issue428, reverse = TRUE, influence = 1)),
    uno = conc(concordance(Surv(t, e) ~ x, issue428, timewt = "n/G2", reverse = TRUE, influence = 1)),
    uno_before_299 = conc(concordance(Surv(t, e) ~ x, issue428, timewt = "n/G2", ymax = 298, reverse = TRUE, influence = 1))
  ),
  lung = list(
    n = nrow(d),
    km = km(survfit(Surv(time, dead) ~ 1, d, conf.type = "log-log", robust = FALSE)),
    cox = both(function(ties) coxph(Surv(time, dead) ~ age + sex + ph.ecog, d, ties = ties, control = strict)),
    harrell = conc(concordance(full, influence = 1)),
    harrell_age = conc(concordance(age, influence = 1)),
    uno = conc(concordance(full, timewt = "n/G2", influence = 1)),
    paired_covariance = list(pair$var[1, ], pair$var[2, ]),
    logrank_ecog = test(survdiff(Surv(time, dead) ~ ph.ecog, d)),
    peto_ecog = test(survdiff(Surv(time, dead) ~ ph.ecog, d, rho = 1))
  ),
  far_logrank = test(survdiff(Surv(t, e) ~ g, far))
)), out)
