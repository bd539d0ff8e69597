"use strict";
(() => {
  // The search of the list of patients.
  const form = document.querySelector(".search");
  if (!form) return;
  const [input, state] = [form.querySelector("input"), form.querySelector("[role=status]")];
  const rows = [...document.querySelectorAll(".patients tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  form.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, place) => {
      row.hidden = !texts[place].includes(wanted);
      shown += !row.hidden;
    });
    state.textContent = wanted ? `${shown} of ${rows.length} patients` : "";
  });
  form.addEventListener("submit", (event) => event.preventDefault());
})();
