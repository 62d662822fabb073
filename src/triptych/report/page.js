// Sorting only: the page is complete without it.
document.querySelectorAll("table.sortable").forEach((table) => {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort by this column";
    while (head.firstChild) button.appendChild(head.firstChild);
    head.appendChild(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => {
        const cell = row.cells[column];
        return cell.dataset.sort ? Number(cell.dataset.sort) : cell.textContent.trim().toLowerCase();
      };
      table.querySelectorAll("tbody").forEach((body) => {
        const rows = Array.from(body.querySelectorAll("tr:not(.body-title)"));
        rows.sort((one, two) => {
          const a = value(one), b = value(two);
          const order = typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
          return down ? -order : order;
        });
        rows.forEach((row) => body.appendChild(row));
      });
    });
  });
});
