// Package peertest is a WebRTC client for tests, as net/http/httptest is for
// HTTP: it publishes the numbered frames of package sfutest and receives them
// again, over loopback or over a virtual network that loses packets.
//
// The client is pion with pion's own codecs and interceptors: it shares nothing
// with the server's side but the packetizers. Only tests import this package.
package peertest
