package webm

import (
	"encoding/binary"
	"math"
)

// unknownSize is the 8-byte form of "size unknown" (RFC 8794 section 6.2). Finish
// replaces it by a size of the same width.
const unknownSize = "\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"

// maxSize is the largest size that 8 bytes can tell; all ones mean unknown.
const maxSize = 1<<56 - 2

// appendSize appends the size n of an element's data in the fewest bytes
// (RFC 8794 section 4). n is at most maxSize.
func appendSize(b []byte, n uint64) []byte {
	width := 1
	for width < 8 && n >= 1<<(7*width)-1 {
		width++
	}
	return appendWideSize(b, n, width)
}

// appendWideSize appends n as a size of the given width in bytes, 1 to 8.
func appendWideSize(b []byte, n uint64, width int) []byte {
	n |= 1 << (7 * width)
	for shift := 8 * (width - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}

// appendVoid appends a Void that takes exactly total bytes with its head, which
// is at least 2. Up to 128 bytes it has the shortest head, above that one with a
// size of 8 bytes: a head of voidHead bytes.
func appendVoid(b []byte, total int) []byte {
	end := len(b) + total
	b = appendVoidHead(b, int64(total))
	return append(b, make([]byte, end-len(b))...)
}

// appendVoidHead appends the head of such a Void.
func appendVoidHead(b []byte, total int64) []byte {
	b = append(b, idVoid)
	if total <= 128 {
		return append(b, byte(0x80|(total-2)))
	}
	return appendWideSize(b, uint64(total-voidHead), 8)
}

// voidHead is the length of a long Void's head: ID and 8-byte size.
const voidHead = 1 + 8

// clusterHead is the length of a Cluster's ID and size; timestampBytes that of
// the Timestamp element that follows.
const (
	clusterHead    = 4 + 8
	timestampBytes = 1 + 1 + 5
)

// appendCluster appends the head of a Cluster of unknown size and its Timestamp,
// ms, which must be below 1<<40.
func appendCluster(b []byte, ms int64) []byte {
	b = append(b, idCluster...)
	b = append(b, unknownSize...)
	return append(b, idTimestamp, 0x85,
		byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
}

// appendClusterAt is appendCluster for any number of ticks.
func appendClusterAt(b []byte, ticks int64) []byte {
	if ticks < 1<<40 {
		return appendCluster(b, ticks)
	}
	b = append(b, idCluster...)
	b = append(b, unknownSize...)
	b = append(b, idTimestamp, 0x88)
	return binary.BigEndian.AppendUint64(b, uint64(ticks))
}

// blockFields is the length of what precedes the frame in a SimpleBlock: track
// number, time and flags (RFC 9559 section 10.2).
const blockFields = 1 + 2 + 1

// appendBlock appends a SimpleBlock without lacing. number is below 127; offset
// is the block's time from the Cluster's Timestamp, 0 to 32767 ms.
func appendBlock(b []byte, number byte, offset int64, flags byte, data []byte) []byte {
	b = append(b, idSimpleBlock)
	b = appendSize(b, uint64(blockFields+len(data)))
	b = append(b, 0x80|number, byte(offset>>8), byte(offset), flags)
	return append(b, data...)
}

// durationBytes is the length of a Duration element, and of the Void that holds
// its place.
const durationBytes = 2 + 1 + 8

// appendDuration appends a Duration of that many ticks.
func appendDuration(b []byte, ticks float64) []byte {
	b = append(b, idDuration...)
	b = append(b, 0x88)
	return binary.BigEndian.AppendUint64(b, math.Float64bits(ticks))
}
