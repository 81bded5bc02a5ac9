// Package place tells where recordings lie below their folder, by a template that users
// choose. It only computes: it looks at no folder.
package place
