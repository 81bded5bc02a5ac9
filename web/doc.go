// Package web holds the pages of weir and the browser library they are built on.
//
// Everything under static/ is embedded and served as it lies there: plain CSS and
// ES modules, no build step and nothing from another host. Pages get the same without
// comments and indentation (lean.go), and styles in two pieces. The pages are put
// together at the start, of pages/layout.html and the main part of each
// (pages.go); their references to the server's root go out relative to the page,
// since a proxy may have put all of it below a path. Scripts find the root by
// their own address (static/client/home.js).
// static/client is the importable library (Publisher and Viewer), static/app
// the scripts of the pages, static/css and static/img their looks.
//
// Invariants:
//
//   - The pages hold no data. They read the API under /api/v1 and speak WHIP
//     and WHEP, so this package knows neither the hub nor the recorder.
//   - No inline script, style or handler anywhere, because the policy in
//     policy.go forbids them; the tests hold both sides to it.
//   - The pages refer to their assets by addresses that have a hash of all assets
//     in them, and are kept for good: a page that is loaded again asks for itself
//     alone. What stands at an address that stays (the pages, and the assets
//     without the hash, such as /static/client/index.js) has a strong ETag of its
//     content and must be revalidated, so that a new binary is seen at the next
//     load and an unchanged file costs one 304.
//   - A page is at most 60 kB on the wire the first time (weight_test.go).
//   - What is text goes out compressed, to clients that take it so.
package web
