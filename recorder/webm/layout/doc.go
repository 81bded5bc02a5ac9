// Package layout knows how a file of weir's is laid out: what precedes its Clusters
// ([RenderHeader], [RenderInit]), where the places are that are filled in at its end
// ([Layout]), which Clusters its index names ([Index], [Thin]), and in which order of
// writes it is finished ([Seal]). The writer of files uses it, and what repairs files,
// which leads to the same bytes.
//
// The elements that precede the Clusters, Cues and SeekHead are marshalled by ebml-go.
package layout
