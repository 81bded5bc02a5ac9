// Package posters serves the pictures of live streams over HTTP, and takes those that
// publishers send. What a picture is, and when one is taken, is package poster's.
package posters
