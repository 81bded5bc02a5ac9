// Package picture makes small JPEGs of coded pictures: it decodes a keyframe of VP8,
// makes it smaller and codes it again. It only computes. It is the home of
// golang.org/x/image, whose decoder of VP8 is the only one without C.
//
// What it is given comes from publishers. Nothing that they send makes it panic, and how
// much a picture costs is bounded by its size, which is known before it is decoded.
package picture
