/** Where the modules of the page are served. */
export const MODULES_PATH = '/ui/jobs/shares';

/** The owner page (`jobs.md` 3.2). The same bytes for every job and every owner: who reads it stands in its address. */
export const sharePage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>Share data with a job - Glacis</title>
    <link rel="stylesheet" href="${MODULES_PATH}/page.css" />
    <script type="module" src="${MODULES_PATH}/page/main.js"></script>
  </head>
  <body>
    <h1>Share data with a job</h1>
    <noscript>This page encrypts and splits your data itself and needs JavaScript for it.</noscript>
    <section id="job"></section>
    <section id="answer" hidden>
      <h2>Your data</h2>
      <p>You are <strong id="owner"></strong>.</p>
      <p id="tables" hidden><label>Table <select id="table"></select></label></p>
      <p><label>CSV file, names of columns in the first line <input id="file" type="file" accept=".csv,text/csv" /></label></p>
      <div id="granted"></div>
      <p id="raw" hidden>
        <label><input id="consent" type="checkbox" /> I consent that single rows are shown to the analyst.</label>
      </p>
      <p><button id="approve" disabled>Approve: sign, share and upload</button></p>
      <progress id="progress" value="0" max="1"></progress>
    </section>
    <section id="status" role="status" aria-live="polite"></section>
  </body>
</html>
`;

export const shareStyle = `body {
  font: 16px/1.5 system-ui, sans-serif;
  max-width: 46rem;
  margin: 2rem auto;
  padding: 0 1rem;
}
h2 { font-size: 1rem; margin: 1.5rem 0 0.25rem; }
ul { margin: 0; padding-left: 1.25rem; }
pre { background: #f4f4f4; padding: 0.75rem; overflow: auto; white-space: pre-wrap; }
button { font: inherit; padding: 0.5rem 1rem; }
progress { width: 100%; }
@media (prefers-color-scheme: dark) {
  body { background: #111; color: #eee; }
  pre { background: #222; }
}
`;
