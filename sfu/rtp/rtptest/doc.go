// Package rtptest helps to test what takes in packets: it writes RTP streams to tracks of
// the hub, as a publisher's receiver does.
package rtptest
