# Known answers of R's pROC (aSAH, Turck et al. 2010), boot (city) and stats for tests/unit/inference.
# Usage: Rscript tests/golden/inference.R <output.json>; Debian: r-base-core r-cran-proc r-cran-boot
# Prints answers only: the rows of aSAH (GPL-3+) are read from R where a test needs them.
suppressPackageStartupMessages({ library(pROC); library(boot) })
out <- commandArgs(trailingOnly = TRUE)
if (length(out) != 1) stop("usage: Rscript tests/golden/inference.R <output.json>")

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

data(aSAH, package = "pROC")
score <- list(wfns = as.numeric(aSAH$wfns), s100b = aSAH$s100b, ndka = aSAH$ndka)
poor <- aSAH$outcome == "Poor"
curve <- lapply(score, function(x) roc(aSAH$outcome, x, levels = c("Good", "Poor"), direction = "<", quiet = TRUE))
one <- function(r) {
  list(auc = as.numeric(auc(r)), variance = var(r, method = "delong"), ci = as.numeric(ci.auc(r, method = "delong"))[c(1, 3)])
}
pair <- function(a, b) {
  test <- roc.test(curve[[a]], curve[[b]], method = "delong", paired = TRUE)
  list(covariance = cov(curve[[a]], curve[[b]], method = "delong"), z = unname(test$statistic), p = test$p.value,
       ci = as.numeric(test$conf.int))
}

# Obuchowski (1997) from its definition, pair by pair; no package has it
obuchowski <- function(cluster, names) {
  v10 <- sapply(score[names], function(x) sapply(x[poor], function(s) mean((s > x[!poor]) + .5 * (s == x[!poor]))))
  v01 <- sapply(score[names], function(x) sapply(x[!poor], function(s) mean((x[poor] > s) + .5 * (x[poor] == s))))
  area <- colMeans(v10)
  m <- sum(poor)
  n <- sum(!poor)
  ids <- unique(cluster)
  a <- t(sapply(ids, function(i) colSums(sweep(v10[cluster[poor] == i, , drop = FALSE], 2, area))))
  b <- t(sapply(ids, function(i) colSums(sweep(v01[cluster[!poor] == i, , drop = FALSE], 2, area))))
  i10 <- length(unique(cluster[poor]))
  i01 <- length(unique(cluster[!poor]))
  i <- length(ids)
  s10 <- i10 / ((i10 - 1) * m) * crossprod(a)
  s01 <- i01 / ((i01 - 1) * n) * crossprod(b)
  s11 <- i / (i - 1) * crossprod(a, b)
  v <- s10 / m + s01 / n + (s11 + t(s11)) / (m * n)
  list(variance = unname(diag(v)), z = unname((area[1] - area[2]) / sqrt(v[1, 1] + v[2, 2] - 2 * v[1, 2])))
}
row <- seq_along(poor) - 1

counts <- list(c(81, 263), c(15, 148), c(0, 20), c(1, 29))
proportion <- function(x) suppressWarnings(list(
  wilson = as.numeric(prop.test(x[1], x[2], correct = FALSE)$conf.int),
  clopper_pearson = as.numeric(binom.test(x[1], x[2])$conf.int)
))

table22 <- matrix(c(794, 150, 86, 570), 2)
plain <- mcnemar.test(table22, correct = FALSE)
corrected <- mcnemar.test(table22)

ratio <- function(d, i) sum(d$x[i]) / sum(d$u[i])
city_ci <- function(replicates) {
  set.seed(1)
  made <- boot(city, ratio, replicates)
  influence <- empinf(made, t = made$t[, 1])
  list(bca = boot.ci(made, type = "bca")$bca[4:5], acceleration = sum(influence^3) / (6 * sum(influence^2)^1.5))
}

d <- matrix(c(.02, .05, .01, -.01, .04, .03, .00, .02, .06, .01), 5, byrow = TRUE)
s2 <- apply(d, 1, var)
t52 <- d[1, 1] / sqrt(mean(s2))
f52 <- sum(d^2) / (2 * sum(s2))

writeLines(json(list(
  versions = list(R = paste(R.version$major, R.version$minor, sep = "."), pROC = as.character(packageVersion("pROC")),
                  boot = as.character(packageVersion("boot"))),
  asah = c(lapply(curve, one), list(
    wfns_s100b = pair("wfns", "s100b"), wfns_ndka = pair("wfns", "ndka"), ndka_s100b = pair("ndka", "s100b"),
    obuchowski_2 = obuchowski(row %/% 2, c("wfns", "s100b")), obuchowski_3 = obuchowski(row %/% 3, c("wfns", "s100b")))),
  proportions = lapply(counts, proportion),
  mcnemar = list(chi2 = unname(plain$statistic), p_chi2 = plain$p.value, chi2_corrected = unname(corrected$statistic),
                 p_corrected = corrected$p.value, p_exact = binom.test(86, 236)$p.value,
                 p_mid = 2 * pbinom(86, 236, .5) - dbinom(86, 236, .5)),
  city = list(value = sum(city$x) / sum(city$u), seed_1_999 = city_ci(999), seed_1_20000 = city_ci(20000)),
  five_by_two = list(t = t52, p_t = 2 * pt(-abs(t52), 5), f = f52, p_f = pf(f52, 10, 5, lower.tail = FALSE))
)), out)
