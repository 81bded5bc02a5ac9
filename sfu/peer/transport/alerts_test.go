package transport

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/pion/dtls/v3/pkg/crypto/ciphersuite"
	"github.com/pion/dtls/v3/pkg/protocol"
	"github.com/pion/dtls/v3/pkg/protocol/alert"
	"github.com/pion/dtls/v3/pkg/protocol/recordlayer"

	"weir/sfu/peer/sdp"
)

var alertKeysForTest = func() alertKeys {
	k, err := newAlertKeys(sdp.Server, bytes.Repeat([]byte{1}, 48), bytes.Repeat([]byte{2}, 32), bytes.Repeat([]byte{3}, 32))
	if err != nil {
		panic(err)
	}
	return k
}()

// clientCipher is the client's side of the same keys.
func clientCipher(t *testing.T) *ciphersuite.GCM {
	k := alertKeysForTest.keys
	c, err := ciphersuite.NewGCM(k.ClientWriteKey, k.ClientWriteIV, k.ServerWriteKey, k.ServerWriteIV)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAlerts(t *testing.T) {
	client := clientCipher(t)
	said := func(level alert.Level, d alert.Description) record {
		r := &recordlayer.RecordLayer{
			Header:  recordlayer.Header{Version: protocol.Version1_2, Epoch: 1, SequenceNumber: 5},
			Content: &alert.Alert{Level: level, Description: d},
		}
		raw, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := client.Encrypt(r, raw)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	forged := said(alert.Fatal, alert.InternalError)
	forged[len(forged)-1] ^= 1
	for _, tt := range []struct {
		name string
		r    record
		ends bool
	}{
		{"close_notify", said(alert.Warning, alert.CloseNotify), true},
		{"fatal", said(alert.Fatal, alert.InternalError), true},
		{"warning", said(alert.Warning, alert.NoRenegotiation), false},
		{"forged", forged, false},
		{"plain", aRecord(alertRecord, 1, 2, 40), false},
		{"empty", aRecord(alertRecord, 1), false},
	} {
		if alertKeysForTest.ends(tt.r) != tt.ends {
			t.Errorf("%s: ends is not %v", tt.name, tt.ends)
		}
	}
	ours, err := alertKeysForTest.closeNotify()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := client.Decrypt(recordlayer.Header{}, ours)
	var a alert.Alert
	if err != nil || a.Unmarshal(plain[recordHeader:]) != nil || a.Description != alert.CloseNotify {
		t.Errorf("the client reads %v, %v", a, err)
	}
}

// TestAlertsOfClient: with the roles the other way round the keys are, too.
func TestAlertsOfClient(t *testing.T) {
	server, client := alertKeysForTest, alertKeysForTest
	client.role = sdp.Client
	for _, tt := range []struct{ from, to alertKeys }{{server, client}, {client, server}} {
		bye, err := tt.from.closeNotify()
		if err != nil {
			t.Fatal(err)
		}
		if tt.from.ends(bytes.Clone(bye)) {
			t.Error("its own goodbye is taken for the other side's")
		}
		if !tt.to.ends(bye) {
			t.Error("a goodbye is not understood")
		}
	}
}

func TestSecrets(t *testing.T) {
	var s Secrets
	if _, err := fmt.Fprintf(&s, "CLIENT_RANDOM %x %x\n", []byte{1, 2}, []byte{3}); err != nil || !bytes.Equal(s.clientRandom, []byte{1, 2}) || !bytes.Equal(s.master, []byte{3}) {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"", "CLIENT_RANDOM xx 00", "CLIENT_RANDOM 00 xx", "OTHER 00 00"} {
		if _, err := s.Write([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
