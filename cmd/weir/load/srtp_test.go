package load

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"weir/sfu/media"
)

func TestDerive(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key, salt := unhex("E1F97A0D3E018BE0D64FA32C06DE4139"), unhex("0EC675AD498AFEEBB6960B3AABE6")
	if got, err := derive(key, salt, labelKey, 16); err != nil || !bytes.Equal(got, unhex("C61E7A93744F39EE10734AFE3FF7A087")) {
		t.Errorf("key %X, %v", got, err)
	}
	if got, err := derive(key, salt, labelSalt, 14); err != nil || !bytes.Equal(got, unhex("30CBBC08863D8C85D49DB34A9AE1")) {
		t.Errorf("salt %X, %v", got, err)
	}
}

func TestHead(t *testing.T) {
	for _, p := range profiles {
		profile := srtp.ProtectionProfile(p)
		keySize, _ := profile.KeyLen()
		saltSize, _ := profile.SaltLen()
		c := srtp.Config{Profile: profile}
		c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt = bytes.Repeat([]byte{3}, keySize), bytes.Repeat([]byte{5}, saltSize)
		c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt = c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt
		k, err := keysOf(c)
		if err != nil {
			t.Fatal(err)
		}
		tr := newTrack(0xdeadbeef, media.Video, 65530, false)
		for n := range 40 {
			payload := make([]byte, n+1)
			for i := range payload {
				payload[i] = byte(i*7 + n)
			}
			header := rtp.Header{Version: 2, SequenceNumber: uint16(65530 + n), SSRC: 0xdeadbeef, Timestamp: 90000}
			if n%2 == 1 {
				header.CSRC = []uint32{1, 2}
				if err := header.SetExtension(1, []byte{1, 2, 3}); err != nil {
					t.Fatal(err)
				}
			}
			plain, err := (&rtp.Packet{Header: header, Payload: payload}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := k.out.EncryptRTP(nil, plain, nil)
			if err != nil {
				t.Fatal(err)
			}
			ext, _ := tr.countPacket(header.SequenceNumber)
			got := k.head.read(header.SSRC, ext, payloadOf(sealed, k.tagSize))
			if want := payload[:min(len(payload), headSize)]; !bytes.Equal(got, want) {
				t.Fatalf("%v, packet %d: %x, want %x", p, n, got, want)
			}
		}
	}
}
