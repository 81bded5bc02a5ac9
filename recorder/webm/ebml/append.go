package ebml

import (
	"encoding/binary"
	"math"
)

// UnknownSize is the 8-byte form of "size unknown" (RFC 8794 section 6.2). Finish
// replaces it by a size of the same width.
const UnknownSize = "\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"

// AppendID appends an element's ID.
func AppendID(b []byte, id ElementID) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		if id>>shift != 0 {
			b = append(b, byte(id>>shift))
		}
	}
	return b
}

// MaxSize is the largest size that 8 bytes can tell; all ones mean unknown.
const MaxSize = 1<<56 - 2

// AppendSize appends the size n of an element's data in the fewest bytes (RFC 8794
// section 4). n is at most MaxSize.
func AppendSize(b []byte, n uint64) []byte { return AppendWideSize(b, n, sizeBytes(n)) }

// AppendWideSize appends n, which must fit, as a size of width bytes, 1 to 8.
func AppendWideSize(b []byte, n uint64, width int) []byte {
	n |= 1 << (7 * width)
	for shift := 8 * (width - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}

// AppendVoid appends a Void that takes exactly total bytes with its head, which is at
// least 2. Up to 128 bytes it has the shortest head, above that one with a size of 8
// bytes: a head of VoidHead bytes.
func AppendVoid(b []byte, total int) []byte {
	end := len(b) + total
	b = AppendVoidHead(b, int64(total))
	return append(b, make([]byte, end-len(b))...)
}

// AppendVoidHead appends the head of a Void that takes exactly total bytes with it.
func AppendVoidHead(b []byte, total int64) []byte {
	b = append(b, byte(VoidID))
	if total <= 128 {
		return append(b, byte(0x80|(total-2)))
	}
	return AppendWideSize(b, uint64(total-VoidHead), 8)
}

// VoidHead is the length of a long Void's head: ID and 8-byte size.
const VoidHead = 1 + 8

// clusterHead is the length of a Cluster's ID and size; timestampBytes that of
// the Timestamp element that follows.
const (
	ClusterHead    = 4 + 8
	timestampBytes = 1 + 1 + 5
)

// AppendCluster appends the head of a Cluster of unknown size and its Timestamp,
// ms, which must be below 1<<40.
func AppendCluster(b []byte, ms int64) []byte {
	b = AppendID(b, ClusterID)
	b = append(b, UnknownSize...)
	return append(b, byte(TimestampID), 0x85,
		byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
}

// AppendClusterAt is AppendCluster for any number of ticks.
func AppendClusterAt(b []byte, ticks int64) []byte {
	if ticks < 1<<40 {
		return AppendCluster(b, ticks)
	}
	b = AppendID(b, ClusterID)
	b = append(b, UnknownSize...)
	b = append(b, byte(TimestampID), 0x88)
	return binary.BigEndian.AppendUint64(b, uint64(ticks))
}

// AppendBlock appends a SimpleBlock without lacing (RFC 9559 section 10.2). offset is
// the block's time from the Cluster's Timestamp, 0 to 32767 ticks.
func AppendBlock(b []byte, number uint64, offset int64, flags byte, data []byte) []byte {
	return appendFrame(append(b, byte(SimpleBlockID)), number, offset, flags, data)
}

// appendFrame appends the size and the data of a block.
func appendFrame(b []byte, number uint64, offset int64, flags byte, data []byte) []byte {
	if number < 127 { // as in all that weir writes itself
		b = AppendSize(b, uint64(1+TimeBytes+len(data)))
		b = append(b, 0x80|byte(number), byte(offset>>8), byte(offset), flags)
		return append(b, data...)
	}
	width := sizeBytes(number)
	b = AppendSize(b, uint64(width+TimeBytes+len(data)))
	b = AppendWideSize(b, number, width) // a number is written like a size
	b = append(b, byte(offset>>8), byte(offset), flags)
	return append(b, data...)
}

// sizeBytes returns in how many bytes AppendSize writes n.
func sizeBytes(n uint64) int {
	width := 1
	for width < 8 && n >= 1<<(7*width)-1 {
		width++
	}
	return width
}

// MostBlockHead is more than AppendBlock and AppendGroup put around a frame.
const MostBlockHead = 40

// AppendGroup appends a BlockGroup of one Block that lasts that many ticks (RFC 9559
// section 5.1.3.5). Unless a decoder can start at it, which is what key says, it refers
// to a block before: which one is of no use to any player, and told as one tick earlier.
func AppendGroup(b []byte, number uint64, offset int64, lasts uint32, key bool, data []byte) []byte {
	const duration, reference = 1 + 1 + 4, 1 + 1 + 1
	block := sizeBytes(number) + TimeBytes + len(data)
	size := 1 + sizeBytes(uint64(block)) + block + duration
	if !key {
		size += reference
	}
	b = AppendSize(append(b, byte(BlockGroupID)), uint64(size))
	b = appendFrame(append(b, byte(BlockID)), number, offset, 0, data)
	b = binary.BigEndian.AppendUint32(append(b, byte(BlockDurationID), 0x84), lasts)
	if !key {
		b = append(b, byte(ReferenceBlockID), 0x81, 0xFF)
	}
	return b
}

// DurationBytes is the length of a Duration element, and of the Void that holds
// its place.
const DurationBytes = 2 + 1 + 8

// AppendDuration appends a Duration of that many ticks.
func AppendDuration(b []byte, ticks float64) []byte {
	b = AppendID(b, DurationID)
	b = append(b, 0x88)
	return binary.BigEndian.AppendUint64(b, math.Float64bits(ticks))
}

// Fill returns an element with a size of the given width, or of more bytes if it
// takes more, and a Void behind it, which together have room bytes if that is
// enough. A Void takes two bytes at least, so that one is filled by the size.
func Fill(id ElementID, width int, body []byte, room int) []byte {
	if least := len(AppendSize(nil, uint64(len(body)))); width < least {
		width = least
	}
	free := room - id.Width() - width - len(body)
	if free == 1 && width < MaxSizeBytes {
		width, free = width+1, 0
	}
	b := AppendID(nil, id)
	b = AppendWideSize(b, uint64(len(body)), width)
	b = append(b, body...)
	if free > 1 {
		b = AppendVoid(b, free)
	}
	return b
}

// SizeBytes is the length of a track's PixelWidth and PixelHeight, with which
// its TrackEntry ends.
const SizeBytes = 2 * (1 + 1 + 2)

// AppendPictureSize appends PixelWidth and PixelHeight in SizeBytes bytes.
func AppendPictureSize(b []byte, width, height int) []byte {
	return append(b,
		byte(PixelWidthID), 0x82, byte(width>>8), byte(width),
		byte(PixelHeightID), 0x82, byte(height>>8), byte(height))
}
