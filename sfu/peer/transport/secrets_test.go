package transport

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
)

// TestSecretsExport: what is derived from the Secrets that were caught is what both sides of
// the handshake derive, with the extended master secret (RFC 7627) and without.
func TestSecretsExport(t *testing.T) {
	certificate := aCertificate(t)
	if _, err := (&Secrets{}).ExportKeyingMaterial("label", nil, 10); err == nil {
		t.Error("there are keys of nothing")
	}
	for _, tt := range []struct {
		name     string
		extended dtls.ExtendedMasterSecretType
		profile  dtls.SRTPProtectionProfile
	}{
		{"extended master secret", dtls.RequireExtendedMasterSecret, dtls.SRTP_AEAD_AES_128_GCM},
		{"plain master secret", dtls.DisableExtendedMasterSecret, dtls.SRTP_AES128_CM_HMAC_SHA1_80},
	} {
		known := 0
		caught := &Secrets{}
		caught.onMaster = func() { known++ }
		here, there := handshakeOf(t, []dtls.ServerOption{
			dtls.WithCertificates(certificate), dtls.WithExtendedMasterSecret(tt.extended), dtls.WithSRTPProtectionProfiles(SRTPProfiles...),
			dtls.WithCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
			dtls.WithKeyLogWriter(caught), dtls.WithServerHelloMessageHook(caught.ServerHello),
		}, []dtls.ClientOption{
			dtls.WithCertificates(certificate), dtls.WithExtendedMasterSecret(tt.extended), dtls.WithSRTPProtectionProfiles(tt.profile),
			dtls.WithInsecureSkipVerify(true),
		})
		const label, length = "EXTRACTOR-dtls_srtp", 60
		got, err := caught.ExportKeyingMaterial(label, nil, length)
		if err != nil {
			t.Fatal(err)
		}
		for side, state := range map[string]dtls.State{"server": here, "client": there} {
			want, err := state.ExportKeyingMaterial(label, nil, length)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: the %s has other keys: %v", tt.name, side, err)
			}
		}
		if caught.profile != srtp.ProtectionProfile(tt.profile) || known != 1 {
			t.Errorf("%s: profile %v, told %d times", tt.name, caught.profile, known)
		}
		if _, err := caught.ExportKeyingMaterial(label, []byte{1}, length); err == nil {
			t.Errorf("%s: keys for a context, which is not in them", tt.name)
		}
	}
}

// handshakeOf has pion shake hands with itself, and returns both states.
func handshakeOf(t *testing.T, server []dtls.ServerOption, client []dtls.ClientOption) (here, there dtls.State) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var conns [2]net.PacketConn
	for i := range conns {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		conns[i] = conn
	}
	s, err := dtls.ServerWithOptions(conns[0], conns[1].LocalAddr(), server...)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := dtls.ClientWithOptions(conns[1], conns[0].LocalAddr(), client...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	shaken := make(chan error, 1)
	go func() { shaken <- s.HandshakeContext(ctx) }()
	if err := c.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	here, ok := s.ConnectionState()
	there, ok2 := c.ConnectionState()
	if !ok || !ok2 {
		t.Fatal("no state after a handshake")
	}
	return here, there
}
