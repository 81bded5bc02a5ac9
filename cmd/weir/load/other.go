//go:build !linux || (!amd64 && !arm64)

package load

import (
	"errors"
	"net/netip"
	"time"
)

// errSystem is what a run ends with elsewhere. The reading of sockets is made of system
// calls of Linux, in their 64-bit layout.
var errSystem = errors.New("the load generator runs on Linux (amd64, arm64) only")

type socket struct{}

func openSocket() (*socket, error)          { return nil, errSystem }
func (*socket) port() int                   { return 0 }
func (*socket) send([]byte, netip.AddrPort) {}
func (*socket) close()                      {}
func processCPU(int) (time.Duration, error) { return 0, errSystem }
func processRSS(int) (int64, error)         { return 0, errSystem }
func machineCPU() time.Duration             { return 0 }
func ownCPU() time.Duration                 { return 0 }
func threadCPU() time.Duration              { return 0 }
func nap(time.Duration)                     {}

type poller struct{}

func newPoller() (*poller, error)                                              { return nil, errSystem }
func (*poller) close()                                                         {}
func (*poller) add(*viewer) error                                              { return errSystem }
func (*poller) remove(*viewer)                                                 {}
func (*poller) interrupt()                                                     {}
func (*poller) wait(time.Duration, func(*viewer, []byte, int64, uint32)) error { return errSystem }
