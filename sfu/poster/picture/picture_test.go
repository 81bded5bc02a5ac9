package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"

	"weir/sfu/sfutest"
)

// TestFromVP8: a keyframe becomes a JPEG of its shape, not larger than is asked for.
func TestFromVP8(t *testing.T) {
	for _, tt := range []struct {
		keyframe      []byte
		width, height int
	}{
		{sfutest.Keyframe180, 320, 180},
		{sfutest.Keyframe720, 640, 360},
	} {
		data, err := FromVP8(tt.keyframe)
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if size := m.Bounds().Size(); size != image.Pt(tt.width, tt.height) || len(data) > MaxBytes {
			t.Errorf("it has %v and %d bytes, want %d x %d", size, len(data), tt.width, tt.height)
		}
		if err := Check(data); err != nil {
			t.Errorf("our own is not taken: %v", err)
		}
		if spread(m) < 100 {
			t.Error("nothing is to be seen on it")
		}
	}
}

// spread is how far the lightest pixel of a picture is from the darkest one.
func spread(m image.Image) int {
	low, high := 255, 0
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			v := int(color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y)
			low, high = min(low, v), max(high, v)
		}
	}
	return high - low
}

// sized is a keyframe that says another size.
func sized(keyframe []byte, width, height int) []byte {
	k := bytes.Clone(keyframe)
	binary.LittleEndian.PutUint16(k[6:], uint16(width))
	binary.LittleEndian.PutUint16(k[8:], uint16(height))
	return k
}

// TestHostile: what cannot be a picture is told, and nothing is decoded that is too
// large.
func TestHostile(t *testing.T) {
	key := sfutest.Keyframe180
	for _, tt := range []struct {
		what     string
		keyframe []byte
		want     error
	}{
		{"nothing", nil, ErrBroken},
		{"a head only", key[:10], ErrBroken},
		{"half of it", key[:len(key)/2], ErrBroken},
		{"no keyframe", append([]byte{key[0] | 1}, key[1:]...), ErrBroken},
		{"no pixels", sized(key, 0, 180), ErrBroken},
		{"many pixels", sized(key, 16383, 16383), ErrTooLarge},
		{"a line too many", sized(key, 3840, 2161), ErrTooLarge},
	} {
		if data, err := FromVP8(tt.keyframe); !errors.Is(err, tt.want) || data != nil {
			t.Errorf("%s: %d bytes, %v", tt.what, len(data), err)
		}
	}
}

// TestDamaged: whatever bits are wrong in a keyframe, there is a picture or an error.
func TestDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		k := bytes.Clone(sfutest.Keyframe180)
		for range 1 + r.IntN(40) {
			k[r.IntN(len(k))] ^= 1 << r.IntN(8)
		}
		k = sized(k, 1+r.IntN(100), 1+r.IntN(100))
		data, err := FromVP8(k[:10+r.IntN(len(k)-10)])
		if (err == nil) == (data == nil) {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
	}
}

// FuzzFromVP8 has the decoder take what it likes.
func FuzzFromVP8(f *testing.F) {
	f.Add(sized(sfutest.Keyframe180, 32, 16)[:400])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 10 {
			data[7], data[9] = data[7]&0x40, data[9]&0x40 // small, that it is fast
		}
		_, _ = FromVP8(data)
	})
}

// TestGuard: a decoder that panics has not decoded.
func TestGuard(t *testing.T) {
	var none []int
	m, err := guard(func() (*image.YCbCr, error) { return nil, errors.New(string(rune(none[5]))) })
	if m != nil || !errors.Is(err, ErrBroken) || !strings.Contains(err.Error(), "panicked: runtime error: index out of range") {
		t.Errorf("%v, %v", m, err)
	}
}

// TestShrink: a picture that is made smaller keeps its shape and its light.
func TestShrink(t *testing.T) {
	for _, tt := range []struct{ width, height, wantWidth, wantHeight int }{
		{640, 360, 640, 360},
		{641, 360, 640, 359},
		{1280, 720, 640, 360},
		{1920, 1080, 640, 360},
		{720, 1280, 360, 640},
		{1279, 719, 640, 360},
		{3840, 1, 640, 1},
		{1, 3840, 1, 640},
	} {
		m := image.NewYCbCr(image.Rect(0, 0, tt.width, tt.height), image.YCbCrSubsampleRatio420)
		for i := range m.Y {
			m.Y[i] = byte(100 + i%2*50)
		}
		for i := range m.Cb {
			m.Cb[i], m.Cr[i] = 90, 160
		}
		small := shrink(m, MaxSide)
		if size := small.Rect.Size(); size != image.Pt(tt.wantWidth, tt.wantHeight) {
			t.Errorf("%d x %d became %v", tt.width, tt.height, size)
		}
		at := small.YCbCrAt(small.Rect.Dx()/2, small.Rect.Dy()/2)
		if at.Cb != 90 || at.Cr != 160 || at.Y < 100 || at.Y > 150 {
			t.Errorf("%d x %d: the middle is %+v", tt.width, tt.height, at)
		}
		if tt.width == 1280 && at.Y != 125 {
			t.Errorf("the mean of 100 and 150 is %d", at.Y)
		}
	}
}

// TestCheck: which JPEGs of clients are taken.
func TestCheck(t *testing.T) {
	made := func(width, height int) []byte {
		var out bytes.Buffer
		if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, width, height)), nil); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	small := made(320, 180)
	for _, tt := range []struct {
		what string
		data []byte
		want error
	}{
		{"small", small, nil},
		{"as large as may be", made(640, 640), nil},
		{"too wide", made(641, 8), ErrTooLarge},
		{"too high", made(8, 641), ErrTooLarge},
		{"too many bytes", append(bytes.Clone(small), make([]byte, MaxBytes)...), ErrTooLarge},
		{"empty", nil, ErrBroken},
		{"a page", []byte("<html>"), ErrBroken},
		{"its beginning", small[:20], ErrBroken},
	} {
		if err := Check(tt.data); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.what, err)
		}
	}
}

func BenchmarkFromVP8(b *testing.B) {
	for name, keyframe := range map[string][]byte{"180": sfutest.Keyframe180, "720": sfutest.Keyframe720} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := FromVP8(keyframe); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
