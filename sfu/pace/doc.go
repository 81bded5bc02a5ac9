// Package pace answers two questions about the times of frames: where is a stream
// by now, and when is a frame due? Times are durations on any one clock that does
// not step back, such as a stream's own; presentation times (PTS) and instants of
// arrival are both told on it.
//
// An [Edge] is the newest frame of a stream and the instant at which it came: from
// there the stream goes on as the clock does, so an Edge tells how late another
// frame is, and for how long nothing has come. The recorder, the feed of Media
// Source Extensions and the timeline of uploads ask it.
//
// A [Release] turns frames that arrive in bursts into an even flow: a frame is due
// at its PTS and a delay, which is just enough for the latest frame of the last
// seconds. Uploads use it.
//
// The package only computes: no goroutine, no clock, no lock. It keeps no frames;
// those wait in an interleave.Order.
package pace
