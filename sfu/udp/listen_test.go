package udp

import (
	"testing"
)

func TestListenTakesAFreePort(t *testing.T) {
	a, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := Listen(t.Context(), a.LocalAddr().String()); err == nil {
		t.Error("a port that is in use was opened again")
	}
	b, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	want := "hello"
	if _, err := b.WriteTo([]byte(want), a.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	n, from, err := a.ReadFrom(buf)
	if err != nil || string(buf[:n]) != want || from.String() != b.LocalAddr().String() {
		t.Errorf("got %q from %v, %v", buf[:n], from, err)
	}
}
