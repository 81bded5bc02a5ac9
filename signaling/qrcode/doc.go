// Package qrcode serves addresses of this server as QR codes, for phones that are held
// up to a screen. It is the home of rsc.io/qr.
//
// Invariants:
//
//   - A code leads to this server: nobody else's address is drawn under its name. Which
//     host that is, the request tells, or a page of the server that asks: behind a proxy
//     that tells nothing only the page knows.
//   - Nothing is kept: a code is made in 0.1 ms, the longest in 1 ms, and the answer
//     tells clients to keep it, since what stands behind a query never changes.
package qrcode
