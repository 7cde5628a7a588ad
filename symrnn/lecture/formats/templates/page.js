"use strict";
(() => {
  const terms = JSON.parse(document.getElementById("terms").textContent);
  const tip = document.getElementById("tip");
  let pinned = false;
  let shown = null;
  const same = (q) => document.querySelectorAll(`.q[data-q="${q}"]`);
  const hide = () => {
    if (shown !== null) same(shown).forEach((e) => e.classList.remove("on"));
    shown = null;
    pinned = false;
    tip.hidden = true;
  };
  const show = (element) => {
    const q = element.dataset.q;
    if (shown !== q) {
      hide();
      shown = q;
      same(q).forEach((e) => e.classList.add("on"));
    }
    const term = terms[q];
    tip.textContent = term.meaning;
    if (term.anchor) {
      const link = document.createElement("a");
      link.href = "#" + term.anchor;
      link.textContent = term.number || "→";
      tip.append(" ", link);
    }
    tip.hidden = false;
    const at = element.getBoundingClientRect();
    const wide = document.documentElement.clientWidth;
    tip.style.left = Math.max(8, Math.min(at.left, wide - tip.offsetWidth - 8)) + "px";
    tip.style.top = (at.bottom + 8 + tip.offsetHeight > innerHeight ? at.top - tip.offsetHeight - 8 : at.bottom + 8) + "px";
  };
  const quantity = (event) => (event.target instanceof Element ? event.target.closest(".q") : null);
  document.addEventListener("pointerover", (event) => {
    const found = quantity(event);
    if (found && !pinned) show(found);
  });
  document.addEventListener("pointerout", (event) => {
    if (quantity(event) && !pinned) hide();
  });
  document.addEventListener("click", (event) => {
    const found = quantity(event);
    if (found) {
      show(found);
      pinned = true;
    } else if (!tip.contains(event.target) || event.target.closest("a")) hide();
  });
  addEventListener("scroll", () => { if (shown !== null) hide(); }, { passive: true });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let e = target && target.parentElement; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((e) => { e.open = true; });
  });
  addEventListener("afterprint", () => { closed.forEach((e) => { e.open = false; }); });
})();
