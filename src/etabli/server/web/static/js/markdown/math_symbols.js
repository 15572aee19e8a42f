/** Commands of LaTeX that are one character, and those that are words. */

/** Name → character. */
// prettier-ignore
export const SYMBOLS = Object.assign(Object.create(null), {
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ϵ", varepsilon: "ε", zeta: "ζ", eta: "η", theta: "θ",
  vartheta: "ϑ", iota: "ι", kappa: "κ", lambda: "λ", mu: "μ", nu: "ν", xi: "ξ", pi: "π", rho: "ρ", sigma: "σ",
  varsigma: "ς", tau: "τ", upsilon: "υ", phi: "ϕ", varphi: "φ", chi: "χ", psi: "ψ", omega: "ω", Gamma: "Γ", Delta: "Δ",
  Theta: "Θ", Lambda: "Λ", Xi: "Ξ", Pi: "Π", Sigma: "Σ", Upsilon: "Υ", Phi: "Φ", Psi: "Ψ", Omega: "Ω",
  sum: "∑", prod: "∏", int: "∫", iint: "∬", oint: "∮", partial: "∂", nabla: "∇", infty: "∞", forall: "∀", exists: "∃",
  nexists: "∄", emptyset: "∅", varnothing: "∅", in: "∈", notin: "∉", ni: "∋", subset: "⊂", subseteq: "⊆", supset: "⊃",
  supseteq: "⊇", cup: "∪", cap: "∩", setminus: "∖", land: "∧", wedge: "∧", lor: "∨", vee: "∨", neg: "¬", lnot: "¬",
  times: "×", div: "÷", cdot: "·", cdots: "⋯", ldots: "…", dots: "…", vdots: "⋮", ddots: "⋱", pm: "±", mp: "∓",
  ast: "∗", star: "⋆", circ: "∘", bullet: "•", oplus: "⊕", otimes: "⊗", perp: "⊥", parallel: "∥", mid: "∣", angle: "∠",
  leq: "≤", le: "≤", geq: "≥", ge: "≥", neq: "≠", ne: "≠", approx: "≈", sim: "∼", simeq: "≃", equiv: "≡", cong: "≅",
  propto: "∝", ll: "≪", gg: "≫", to: "→", rightarrow: "→", longrightarrow: "⟶", Rightarrow: "⇒", implies: "⟹",
  leftarrow: "←", Leftarrow: "⇐", leftrightarrow: "↔", Leftrightarrow: "⇔", iff: "⟺", mapsto: "↦", uparrow: "↑",
  downarrow: "↓", hbar: "ℏ", ell: "ℓ", Re: "ℜ", Im: "ℑ", aleph: "ℵ", prime: "′", degree: "°", dagger: "†", langle: "⟨",
  rangle: "⟩", lfloor: "⌊", rfloor: "⌋", lceil: "⌈", rceil: "⌉", lvert: "|", rvert: "|", lVert: "‖", rVert: "‖",
  vert: "|", Vert: "‖", backslash: "\\", therefore: "∴", because: "∵", checkmark: "✓", euro: "€", quad: "\u2003",
  qquad: "\u2003\u2003", colon: ":", lbrace: "{", rbrace: "}", models: "⊨", vdash: "⊢", top: "⊤", bot: "⊥",
  triangle: "△", square: "□", blacksquare: "■",
});

/** Commands that are written as words, upright. */
export const FUNCTIONS = new Set(
  (
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp min max inf sup lim limsup liminf arg det" +
    " dim ker gcd deg Pr mod bmod argmax argmin"
  ).split(" "),
);

/** Accents as combining characters, for one letter. */
// prettier-ignore
export const ACCENTS = Object.assign(Object.create(null), {
  hat: "\u0302", widehat: "\u0302", tilde: "\u0303", widetilde: "\u0303", bar: "\u0304", overline: "\u0305", dot: "\u0307",
  ddot: "\u0308", vec: "\u20d7", acute: "\u0301", grave: "\u0300", underline: "\u0332",
});

/** Letters of double-struck sets, the usual ones. */
export const SETS = Object.assign(Object.create(null), {
  N: "ℕ",
  Z: "ℤ",
  Q: "ℚ",
  R: "ℝ",
  C: "ℂ",
  P: "ℙ",
  H: "ℍ",
  E: "𝔼",
});
