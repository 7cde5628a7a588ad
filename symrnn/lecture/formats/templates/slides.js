"use strict";
(() => {
  const WIDTH = 1280;
  const HEIGHT = 720;
  const fit = (slide) => {
    const inner = slide.querySelector(":scope > .fit");
    if (!inner || inner.dataset.fitted || !inner.offsetWidth) return;
    inner.dataset.fitted = "yes";
    const style = getComputedStyle(slide);
    const room = HEIGHT - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const across = WIDTH - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    for (const part of inner.querySelectorAll(".scroll")) {
      const share = part.clientWidth / part.scrollWidth;
      if (share < 1 && part.closest(".formula")) part.style.zoom = Math.max(0.45, share * 0.99);
    }
    let scale = 1;
    for (let turn = 0; turn < 8; turn += 1) {
      const needed = Math.min(room / inner.scrollHeight / scale, across / inner.scrollWidth);
      if (inner.scrollHeight * scale <= room && inner.scrollWidth * scale <= across + 1) break;
      scale *= Math.max(0.8, Math.min(0.97, needed));
      inner.style.width = across / scale + "px";
      inner.style.transform = `scale(${scale})`;
    }
    inner.style.height = inner.scrollHeight * scale > room ? room / scale + "px" : "";
  };
  const deck = new Reveal(document.querySelector(".reveal"), {
    width: WIDTH, height: HEIGHT, margin: 0.02, hash: true, center: false, transition: "none", slideNumber: "c/t", controlsTutorial: false,
    display: "block", viewDistance: 2,
  });
  deck.on("slidechanged", (event) => fit(event.currentSlide));
  deck.on("ready", (event) => fit(event.currentSlide));
  window.lectureDeck = deck;
  deck.initialize();
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest('a[href^="#"]');
    const target = link && document.getElementById(decodeURIComponent(link.getAttribute("href").slice(1)));
    const slide = target && target.closest("section");
    if (!slide) return;
    event.preventDefault();
    const at = deck.getIndices(slide);
    deck.slide(at.h, at.v);
  });
})();
