// Package sfutest is what tests of the hub and of its sources and sinks share,
// as net/http/httptest is for HTTP: synthetic frames that tell their number, so
// that a test knows which one it got, leak checks, and what benchmarks of
// forwarding have in common.
//
// The frames are not pictures, but for Keyframe180 and Keyframe720: they have the headers that the codecs' parsers
// look at, and numbered bytes behind them. Only tests import this package.
package sfutest
