package udp

import (
	"testing"
	"time"
)

// TestNoWakeUpIsLost: a datagram that comes when the reader has just found nothing, and
// is about to sleep, does not lie there until the next one comes.
func TestNoWakeUpIsLost(t *testing.T) {
	server, client := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	to := at(server)
	asleep := make(chan struct{}, 1)
	w, read, late := server.socket.waiter, 0, false
	try := w.try
	w.try = func() bool {
		if try() {
			read++
			return true
		}
		switch {
		case read == 0:
			select {
			case asleep <- struct{}{}: // or nearly so
			default:
			}
		case !late: // nothing was left after the first datagram: now one comes
			late = true
			_, _ = client.WriteToUDPAddrPort([]byte("second"), to)
		}
		return false
	}
	came := make(chan string, 2)
	go func() {
		defer close(came)
		buf := make([]byte, 100)
		for range cap(came) {
			n, _, err := server.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			came <- string(buf[:n])
		}
	}()
	<-asleep
	time.Sleep(10 * time.Millisecond) // it wakes by the netpoller, or the test is an easier one
	if _, err := client.WriteToUDPAddrPort([]byte("first"), to); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"first", "second"} {
		select {
		case got := <-came:
			if got != want {
				t.Fatalf("%q came, want %q", got, want)
			}
		case <-time.After(patient):
			t.Fatalf("the %s datagram lies there", want)
		}
	}
}
