package session

import "weir/sfu"

// ReceivedBy returns a function that counts what a publisher has brought into a stream
// from now on. A stream that it goes on with has counted what was before; another
// one that it begins counts from nothing.
func ReceivedBy(pub *sfu.Publication) func() Counters {
	first := pub.Info()
	before := received(first)
	return func() Counters {
		now := pub.Info()
		c := received(now)
		if now.ID == first.ID {
			c.Packets -= min(before.Packets, c.Packets) // less where a track began anew
			c.Bytes -= min(before.Bytes, c.Bytes)
		}
		return c
	}
}

func received(i sfu.StreamInfo) (c Counters) {
	for _, t := range i.Tracks {
		c.Packets += t.Packets
		c.Bytes += t.Bytes
	}
	return c
}
