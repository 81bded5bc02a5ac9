package sdp

import (
	"errors"
	"strings"
	"testing"
)

func TestFingerprint(t *testing.T) {
	der := []byte("a certificate")
	f := FingerprintOf(der)
	if again, ok := parseFingerprint(f.String()); !ok || again != f || !again.of(der) || again.of(der[1:]) {
		t.Errorf("%v is read again as %v", f, again)
	}
	for name := range hashes {
		f := Fingerprint{name, string(hashes[name](der))}
		if again, ok := parseFingerprint(strings.ToLower(f.String())); !ok || !again.of(der) {
			t.Errorf("%v is not taken for its certificate's", f)
		}
	}
	for _, bad := range []string{
		"", "sha-256", "md5 00:01", "sha-256 00:01", "sha-1 " + strings.TrimPrefix(f.String(), "sha-256 "), strings.ReplaceAll(f.String(), ":", "x"),
	} {
		if f, ok := parseFingerprint(bad); ok {
			t.Errorf("%q is read as %v", bad, f)
		}
	}
}

func TestCheckCertificate(t *testing.T) {
	mine, other := FingerprintOf([]byte("mine")), FingerprintOf([]byte("other"))
	for _, tt := range []struct {
		name    string
		offered []Fingerprint
		chain   [][]byte
		ok      bool
	}{
		{"the offered one", []Fingerprint{mine}, [][]byte{[]byte("mine")}, true},
		{"one of two", []Fingerprint{other, mine}, [][]byte{[]byte("mine")}, true},
		{"another one", []Fingerprint{other}, [][]byte{[]byte("mine")}, false},
		{"behind another one", []Fingerprint{mine}, [][]byte{[]byte("other"), []byte("mine")}, false},
		{"none", []Fingerprint{mine}, nil, false},
		{"nothing offered", nil, [][]byte{[]byte("mine")}, false},
	} {
		if err := CheckCertificate(tt.offered, tt.chain); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrFingerprint) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestFingerprintsOfOffer(t *testing.T) {
	section := session0 + videoSection("0", "recvonly")
	line := section[strings.Index(section, "a=fingerprint"):]
	line = line[:strings.Index(line, "\r\n")+2]
	for _, tt := range []struct {
		name, offer string
		count       int
	}{
		{"in the section", section, 1},
		{"in the session", strings.Replace(strings.Replace(section, line, "", 1), "a=group", line+"a=group", 1), 1},
		{"two", strings.Replace(section, line, line+line, 1), 2},
		{"a weaker one", strings.Replace(section, line, "a=fingerprint:sha-1 "+strings.Repeat("00:", 19)+"00\r\n"+line, 1), 1},
		{"none", strings.Replace(section, line, "", 1), 0},
		{"of an unknown hash", strings.Replace(section, "sha-256", "sha-3", 1), 0},
	} {
		o, err := Parse(tt.offer, ClientReceives)
		if tt.count == 0 {
			if !errors.Is(err, ErrOffer) || !strings.Contains(err.Error(), "sha-256") {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if all := o.Fingerprints; len(all) != tt.count || all[0].hash != "sha-256" {
			t.Errorf("%s: %v", tt.name, all)
		}
	}
}

func FuzzParseFingerprint(f *testing.F) {
	f.Add("sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2")
	f.Add("SHA-1 :")
	f.Fuzz(func(t *testing.T, value string) {
		p, ok := parseFingerprint(value)
		if !ok {
			return
		}
		if again, ok := parseFingerprint(p.String()); !ok || again != p {
			t.Errorf("%q is %v, and read again %v", value, p, again)
		}
	})
}
