// Package browsertest drives pages in a real browser: a headless Chromium with a
// fake camera and microphone. A test waits for what a page shows, clicks as a user
// does, and fails when the page's console says anything, or
// axe finds a fault in what it shows.
package browsertest
