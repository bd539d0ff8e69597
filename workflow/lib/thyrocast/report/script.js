"use strict";
(() => {
  // Filters of the gallery, and enlarged pictures.
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const gallery = document.querySelector(".gallery");
  if (!gallery) return;
  const form = document.querySelector(".gallery-controls");
  const state = document.querySelector(".gallery-state");
  const items = all("li", gallery);
  if (form) form.hidden = false;
  const update = () => {
    const { outcome, center, order } = Object.fromEntries(new FormData(form));
    let shown = 0;
    for (const item of items) {
      item.hidden = (outcome && item.dataset.outcome !== outcome) || (center && item.dataset.center !== center);
      shown += !item.hidden;
    }
    const sign = { most: -1, least: 1 }[order];
    const sorted = sign ? [...items].sort((a, b) => sign * (a.dataset.inside - b.dataset.inside)) : items;
    gallery.append(...sorted);
    state.textContent = `${shown} of ${items.length} pictures match.`;
  };
  form?.addEventListener("change", update);
  form?.addEventListener("submit", (event) => event.preventDefault());

  const dialog = document.querySelector(".lightbox");
  const [picture, text] = [dialog.querySelector("img"), dialog.querySelector("p")];
  let current = null;
  const show = (item) => {
    current = item;
    picture.src = item.querySelector("img").src;
    picture.alt = item.querySelector("img").alt;
    text.textContent = picture.alt;
    if (!dialog.open) dialog.showModal();
  };
  const step = (by) => {
    const visible = all("li:not([hidden])", gallery);
    show(visible[(visible.indexOf(current) + by + visible.length) % visible.length]);
  };
  for (const item of items) {
    const image = item.querySelector("img");
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `Enlarge: ${image.alt}`);
    image.replaceWith(button);
    button.append(image);
    button.addEventListener("click", () => show(item));
  }
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") step(1);
    if (event.key === "ArrowLeft") step(-1);
  });
})();
