/** The page's style: light, dark on dark screens, narrow screens, print. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --text: #1d2329; --soft: #58626d; --page: #ffffff; --panel: #f5f6f8; --line: #d9dde2;
  --good: #1d6b45; --bad: #a3341f;
  --series-1: #1f6f8b; --series-2: #b4541a; --series-3: #5b4b9a; --series-4: #3f7d3a; --series-5: #a03268; --series-6: #6b6b2b;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --text: #e4e7ea; --soft: #a3adb7; --page: #15191d; --panel: #1e2429; --line: #363e46;
    --good: #7cc9a0; --bad: #f0937e;
    --series-1: #62b6d2; --series-2: #e9975f; --series-3: #ab9ce8; --series-4: #88c382; --series-5: #e486b4; --series-6: #c6c577;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 66rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", Arial, sans-serif;
}
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .75rem; text-wrap: balance; }
h2 { font-size: 1.25rem; margin: 3rem 0 .5rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; overflow-wrap: anywhere; }
p { max-width: 46rem; margin: .5rem 0; }
.note { color: var(--soft); font-size: .9rem; }
.verdict { font-weight: 600; }
.verdict.good { color: var(--good); }
.verdict.bad { color: var(--bad); }
dl.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; }
dl.figures div { background: var(--panel); border-radius: .4rem; padding: .6rem .8rem; }
dl.figures dt { color: var(--soft); font-size: .85rem; }
dl.figures dd { margin: 0; font-size: 1.2rem; font-variant-numeric: tabular-nums; }
figure { margin: 0; min-width: 0; break-inside: avoid; }
figcaption { color: var(--soft); font-size: .85rem; line-height: 1.4; margin-top: .35rem; overflow-wrap: anywhere; }
.row { display: grid; gap: 1rem; margin: .75rem 0; break-inside: avoid; }
.row.maps { grid-template-columns: repeat(5, 1fr); }
@media (max-width: 40rem) { .row.maps { grid-template-columns: repeat(3, 1fr); gap: .6rem; } }
.row.pairs { grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); }
.row.plots { grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); gap: 1.5rem 2rem; }
.row.arrows { grid-template-columns: repeat(3, 1fr); }
@media screen and (max-width: 48rem) { .row.arrows { grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); } }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }
img { display: block; width: 100%; height: auto; image-rendering: pixelated; }
figure.plot { max-width: 36rem; }
figure.plot > svg { display: block; width: 100%; height: auto; overflow: visible; }
.bar { max-width: 26rem; margin: .75rem 0 0; }
.bar img { height: .8rem; }
.bar .ticks { display: flex; justify-content: space-between; font-size: .8rem; font-variant-numeric: tabular-nums; }
.bar .unit { color: var(--soft); font-size: .85rem; }
ul.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .15rem 1rem; margin: .25rem 0 .25rem; padding: 0; font-size: .85rem; overflow-wrap: anywhere; }
ul.legend svg { width: 1.6rem; height: .7rem; margin-right: .35rem; vertical-align: baseline; overflow: visible; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; min-width: min(100%, 24rem); }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; white-space: nowrap; }
td { overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2 { break-after: avoid; margin-top: 1.5rem; }
  h3 { break-after: avoid; }
  .row.plots { grid-template-columns: 1fr 1fr; }
  .row.pairs { grid-template-columns: repeat(3, 1fr); }
  .scroll { overflow: visible; }
  dl.figures div { border: 1px solid var(--line); }
}
`;
