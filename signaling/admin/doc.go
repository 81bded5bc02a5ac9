// Package admin is the REST API under /api/v1, the health checks and the metrics:
// what is live, what was recorded, whether the server is well.
//
// Names in JSON are snake_case, times RFC 3339 in UTC, durations milliseconds.
// Lists are objects, so that they can grow; errors are problem documents.
package admin
