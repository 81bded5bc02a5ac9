// Package signaling is the HTTP surface: the server with its limits, what wraps
// every request, and the one table that turns the program's errors into status
// codes and problem documents (RFC 9457).
//
// What is served is in the packages below: whip (WHIP and WHEP), vod
// (recordings) and admin (the REST API). They register their routes on one
// http.ServeMux; this package knows none of them.
package signaling
