package udp

import "testing"

// TestOnIdle: whoever reads is told that all is read that there was, once for a burst
// and before it waits; and after 256 datagrams in any case, even if one system call
// has brought more.
func TestOnIdle(t *testing.T) {
	server, client := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	rests := make(chan int, 100) // how many datagrams were read before each call
	read := 0
	server.OnIdle(func() {
		rests <- read
		read = 0
	})
	burst := func(n int) {
		b := client.NewBatch()
		for i := range n {
			commit(b, sent{datagram(i, 100), at(server)})
		}
		b.Flush()
	}
	burst(700) // is all there when the first one is read
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 200)
		for {
			if _, _, err := server.ReadFromUDPAddrPort(buf); err != nil {
				return
			}
			read++
		}
	}()
	for i, want := range []int{256, 256, 188} {
		if got := <-rests; got != want {
			t.Errorf("call %d comes after %d datagrams, want %d", i, got, want)
		}
	}
	for range 10 {
		burst(1) // the reader has nothing else and is about to wait, or waits
		if got := <-rests; got != 1 {
			t.Errorf("after a burst of one it comes after %d", got)
		}
	}
	server.Close()
	<-done
	if len(rests) > 0 {
		t.Errorf("%d calls more", len(rests))
	}
}
