/** The page's style sheet, in the colours of the report page. Whatever colour says, words say, too. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fffefb; --ink: #1d1c1a; --soft: #595650; --line: #dedad0; --now: #0b5a87; --bad: #a8200d; --field: #ffffff; --bar: #e8e4da;
  --serif: 'Iowan Old Style', Palatino, 'Palatino Linotype', 'Book Antiqua', Georgia, 'Liberation Serif', 'DejaVu Serif', serif;
  --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #15171a; --ink: #ebe8e1; --soft: #aeaaa1; --line: #363a40; --now: #6fb7e6; --bad: #ff9c8a; --field: #1d2024; --bar: #2b2f35; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 68rem; padding: 2rem 1.25rem 3rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 var(--sans); overflow-wrap: anywhere; accent-color: var(--now); }
h1, h2, p, ul, pre, fieldset { margin: 0; }
h1 { font: 700 clamp(1.7rem, 5vw, 2.7rem)/1.15 var(--serif); letter-spacing: -0.01em; }
h2 { font: 700 1.3rem/1.25 var(--serif); }
a { color: var(--now); text-underline-offset: .15em; }
[hidden] { display: none !important; }
:focus-visible { outline: 2px solid var(--now); outline-offset: 2px; }
.kicker { font-size: .9rem; color: var(--soft); margin-bottom: .5rem; }
.dek { color: var(--soft); margin-top: .5rem; max-width: 44em; }
.choosers { display: flex; flex-wrap: wrap; gap: .8rem 1.4rem; margin-top: 1rem; }
.choosers label { display: grid; gap: .15rem; font-size: .85rem; color: var(--soft); min-width: 0; }
.pair { display: grid; gap: 0 2.5rem; grid-template-columns: minmax(0, 1fr); }
main section { border-top: 1px solid var(--ink); padding-top: .8rem; margin-top: 1.8rem; min-width: 0; }
@media (min-width: 50rem) {
  .pair { grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); align-items: start; }
  #prediction { position: sticky; top: 0; }
}
.head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; min-height: 2.2rem; gap: .5rem 1rem; margin-bottom: .8rem; }
input, select, button { font: inherit; color: inherit; }
input[type=number], input[type=text], input[type=password], select { background: var(--field); border: 1px solid var(--soft);
  border-radius: 3px; padding: .3rem .5rem; min-width: 0; max-width: 100%; color: var(--ink); font-size: 1rem; }
input:disabled, select:disabled { opacity: .45; }
button { background: var(--field); border: 1px solid var(--soft); border-radius: 3px; padding: .3rem .8rem; cursor: pointer; font-size: .9rem; }
button:hover { border-color: var(--now); color: var(--now); }
#form { display: grid; gap: 1rem; }
/* On a phone the answer stays in sight while one slides. */
@media (max-width: 49.99rem) and (min-height: 34rem) {
  #prediction.short { position: sticky; bottom: 0; background: var(--paper); padding-bottom: .8rem; z-index: 1; }
  #prediction.short .head, #prediction.short .by { display: none; }
  #prediction.short .big { font-size: 1.6rem; margin-bottom: .3rem; }
  #prediction.short .bars { gap: .2rem; font-size: .9rem; }
}
.field { display: grid; gap: .1rem .8rem; grid-template-columns: minmax(0, 1fr) auto; align-items: center; }
.name { font-weight: 600; font-size: .95rem; }
.about { font-size: .85rem; color: var(--soft); }
.missing { font-size: .85rem; color: var(--soft); display: flex; align-items: center; gap: .35rem; justify-self: end; }
.control { grid-column: 1 / -1; display: flex; align-items: center; gap: .8rem; min-width: 0; }
.control input[type=range] { flex: 1 1 4rem; min-width: 0; height: 1.6rem; margin: 0; }
.control input[type=number] { width: 8.5rem; flex: 0 1 auto; font-variant-numeric: tabular-nums; }
.control input[type=text], .control select { flex: 1 1 auto; }
.control input[type=checkbox] { width: 1.25rem; height: 1.25rem; margin: 0; }
.wrong { grid-column: 1 / -1; color: var(--bad); font-size: .85rem; font-weight: 600; }
.field:has([aria-invalid=true]) { border-left: 4px solid var(--bad); padding-left: .7rem; }
[aria-invalid=true] { border-color: var(--bad) !important; }
.big { font: 700 2.4rem/1.15 var(--serif); font-variant-numeric: lining-nums; margin-bottom: .8rem; }
.refused { color: var(--bad); font: 700 1.3rem/1.3 var(--serif); margin-bottom: .3rem; }
.bars { list-style: none; padding: 0; display: grid; gap: .6rem; }
.bars li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .1rem 1rem; }
.bars .value { font-variant-numeric: tabular-nums; }
.track { grid-column: 1 / -1; background: var(--bar); height: .6rem; border-radius: 2px; overflow: hidden; }
.fill { background: var(--now); height: 100%; width: 0; }
@media (prefers-reduced-motion: no-preference) { .fill { transition: width .15s; } }
.first { font-weight: 700; }
.by { font-size: .85rem; color: var(--soft); margin-top: 1rem; }
.stale { opacity: .55; }
ul.list { padding-left: 1.1rem; font-size: .9rem; }
fieldset { border: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; }
fieldset label { display: flex; align-items: center; gap: .35rem; }
legend { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
pre { background: var(--field); border: 1px solid var(--line); border-radius: 3px; padding: .8rem 1rem; white-space: pre-wrap; }
pre, code { font: .85rem/1.5 ui-monospace, Consolas, 'DejaVu Sans Mono', monospace; overflow-wrap: anywhere; }
footer { margin-top: 2.2rem; border-top: 1px solid var(--line); padding-top: .6rem; font-size: .85rem; color: var(--soft); }
`;
