// Package session knows who is connected: the sessions of publishers and viewers,
// by id. An id is 26 random characters, and whoever knows it may act on the
// session: end it, or take its place.
package session
