/** The style sheet of the pages. Whatever colour shows is also shown by shape, hatching or words. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fffefb; --ink: #1d1c1a; --soft: #595650; --line: #dedad0; --now: #0b5a87; --warm: #a1430c;
  --serif: 'Iowan Old Style', Palatino, 'Palatino Linotype', 'Book Antiqua', Georgia, 'Liberation Serif', 'DejaVu Serif', serif;
  --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #15171a; --ink: #ebe8e1; --soft: #aeaaa1; --line: #363a40; --now: #6fb7e6; --warm: #f0a266; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 68rem; padding: 2rem 1.25rem 3rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 var(--sans); overflow-wrap: break-word; }
h1, h2, h3, p, dl, dd, ul, figure { margin: 0; }
h1 { font: 700 clamp(1.7rem, 5vw, 2.7rem)/1.15 var(--serif); letter-spacing: -0.01em; max-width: 24em; text-wrap: balance; }
h2 { font: 700 1.3rem/1.25 var(--serif); }
h3 { font: 600 .95rem/1.35 var(--sans); }
a { color: var(--now); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--now); outline-offset: 2px; }
.kicker { font-size: .9rem; color: var(--soft); margin-bottom: .5rem; }
.dek { color: var(--soft); margin-top: .5rem; max-width: 44em; }
.note, figcaption p { font-size: .85rem; color: var(--soft); }
.nowrap { white-space: nowrap; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
main > section, .pair > section { border-top: 1px solid var(--ink); padding-top: .8rem; margin-top: 2.2rem; }
main > section:first-of-type, #brief { border-top: 0; padding-top: 0; margin-top: 1.4rem; }
section > p, .lede { max-width: 44em; margin: .5rem 0; }
.lede { font: 1.15rem/1.55 var(--serif); }
.brief { display: grid; gap: 1.2rem 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
.brief dt { font-weight: 700; border-top: 1px solid var(--line); padding-top: .5rem; }
.brief dd { font-size: .95rem; }
.warning, .warnings li { border-left: 4px solid var(--warm); padding-left: .7rem; }
.warnings { list-style: none; padding: 0; }
.figures { list-style: none; padding: 0; display: grid; gap: 1.2rem 1rem; margin-top: .8rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 8.5rem), 1fr)); }
.figures li { display: grid; align-content: start; }
.label { font-size: .85rem; line-height: 1.3; min-height: 2.6em; display: flex; align-items: flex-end; }
.number { font: 700 2.1rem/1.15 var(--serif); font-variant-numeric: lining-nums; }
.delta { font-size: .85rem; color: var(--soft); }
.spark { max-width: 11rem; margin-top: .3rem; }
.grid { display: grid; gap: 1.4rem 2.5rem; margin-top: .8rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
.thirds { grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); }
.pair { display: grid; gap: 0 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
figure { max-width: 25rem; }
.chart { display: block; width: 100%; height: auto; margin: .4rem 0; font: 12px var(--sans); fill: currentColor; overflow: visible; }
.chart text { white-space: pre; font-variant-numeric: tabular-nums; }
.key { display: inline-block; width: 1.6em; height: .87em; vertical-align: -.1em; }
.defs { position: absolute; }
.k-now { fill: var(--now); }
.k-before { stroke: var(--ink); stroke-width: 2.5; }
.k-reference { fill: var(--paper); stroke: var(--warm); stroke-width: 2; }
.k-whisker { stroke: var(--now); stroke-width: 1.5; }
.k-empty { fill: var(--paper); stroke: var(--now); }
.k-hatch { stroke: var(--now); stroke-width: 2.5; }
.k-hatch-1 { fill: url(#hatch-1); stroke: var(--now); }
.k-hatch-2 { fill: url(#hatch-2); stroke: var(--now); }
.k-hatch-3 { fill: url(#hatch-3); stroke: var(--now); }
details { font-size: .85rem; }
summary { cursor: pointer; color: var(--soft); width: fit-content; }
.change { margin-top: .4rem; }
.scroll { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.35; }
caption { text-align: left; font-size: .85rem; color: var(--soft); padding-bottom: .2rem; }
th, td { padding: .25rem 1.1rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { font-weight: 600; vertical-align: bottom; border-bottom: 1px solid var(--ink); }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead .n { white-space: normal; }
.wide { min-width: 17rem; }
.printed { display: none; }
.facts { display: grid; gap: .2rem 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); margin-top: .6rem; font-size: .875rem; }
.facts div { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); }
.facts dt { color: var(--soft); }
code { font: .9em ui-monospace, Consolas, 'DejaVu Sans Mono', monospace; overflow-wrap: anywhere; }
footer { margin-top: 2.2rem; border-top: 1px solid var(--line); padding-top: .6rem; font-size: .85rem; color: var(--soft); }
@page { size: A4; margin: 9mm 11mm; }
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --now: #0b5a87; --warm: #a1430c; }
  html { font-size: 7.6pt; }
  body { max-width: none; padding: 0; line-height: 1.35; }
  h1 { font-size: 17pt; max-width: none; }
  h2 { font-size: 10pt; }
  main > section, .pair > section { margin-top: .9rem; padding-top: .35rem; }
  main > section:first-of-type, #brief { margin-top: .6rem; }
  section > p, .lede { max-width: none; margin: .25rem 0; }
  .lede { font-size: 9.5pt; line-height: 1.4; }
  .dek { max-width: none; margin-top: .2rem; }
  .brief { gap: .5rem 1.6rem; grid-template-columns: 1fr 1fr 1fr; }
  .figures { grid-template-columns: repeat(4, 1fr); margin-top: .2rem; }
  .number { font-size: 14pt; }
  .label { min-height: 0; }
  .chart.spark { max-width: 8rem; margin: 0; }
  .pair { grid-template-columns: 1fr 1fr; gap: 0 2rem; }
  .grid { grid-template-columns: 1fr 1fr; gap: .5rem 2rem; margin-top: .3rem; }
  .thirds { grid-template-columns: 1fr 1fr 1fr; }
  figure { max-width: none; break-inside: avoid; }
  .chart { margin: .15rem 0; max-width: 19rem; }
  .thirds .chart { max-width: none; }
  h2, h3, thead { break-after: avoid; }
  tr, .brief div, .figures li { break-inside: avoid; }
  details { display: none; }
  .printed { display: block; }
  #riskiest tbody tr:nth-child(n + 6) { display: none; }
  .scroll { overflow: visible; margin: .25rem 0; }
  table { line-height: 1.25; }
  th, td { padding-block: .06rem; }
  #left-out { float: left; width: 37%; }
  #drift { margin-left: 40%; }
  #drift .thirds { clear: both; margin-left: -66.7%; }
  #run { clear: both; }
  .facts { grid-template-columns: 1fr 1fr; margin-top: .2rem; }
  footer { margin-top: .8rem; padding-top: .3rem; }
  a { color: inherit; text-decoration: none; }
}
`;
