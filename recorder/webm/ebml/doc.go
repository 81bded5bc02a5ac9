// Package ebml is the vocabulary of WebM and Matroska (RFC 8794, RFC 9559): each
// element's ID, heads and variable-size integers, what an Info, a TrackEntry, a
// BlockGroup and the head of a block say, and how the elements are written that hold
// frames.
//
// It is where bytes that an enemy chose are first looked at: nothing here allocates
// what a size claims, there is no recursion into what is not known, and what is parsed
// lies in memory already, so that its length is bounded by its reader. An error says
// which element, at which byte, is wrong and how.
//
// It has the one list of IDs, [ElementID], and the one parser of each element; packages
// read and walk, which go through streams and files, only find them.
package ebml
