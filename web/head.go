package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Subject is what a page is about: a stream by its name, a recording by its id, or,
// empty, neither.
type Subject struct{ Stream, Recording string }

// Head is what a page's head tells of its subject, for the browser's tab and for the
// previews that other sites make of a link.
type Head struct {
	// Origin is where the client sees the root of the server, without a slash at its end:
	// https://live.example/media. Empty: it is not known, and the head has no addresses,
	// which other sites need whole.
	Origin string
	// Unknown: there is no such recording.
	Unknown bool
	// Title is the broadcast's, or its name. Empty: nothing is known of it that may be told.
	Title string
	// Description may be empty: the page has one.
	Description string
	// Image is the path of its picture below the root. Empty: the product's own stands
	// for it.
	Image string
	// Width and Height of Image are 0 while they are not known.
	Width, Height int
}

// Describe tells what the head of a page is to say to who has asked for it.
type Describe func(Subject) Head

// Page answers a request, with a head that says what describe tells.
type Page func(w http.ResponseWriter, r *http.Request, describe Describe)

// ownImage is the picture for what has none, below static/.
const ownImage, ownWidth, ownHeight = "img/preview.png", 1200, 630

// maxDescription is as much of a description as previews show, and search engines.
const maxDescription = 200

// headFile is the part of the layout that is filled for each request.
var headFile = template.Must(template.ParseFS(pageFiles, "pages/head.html"))

// headOf writes the head of a page at a path of the server.
func (s *site) headOf(p page, path string, h Head) []byte {
	type image struct {
		URL, Alt      string
		Width, Height int
	}
	data := struct {
		Title, Description, Preview, Type, URL string
		Image                                  *image
	}{Title: p.Title, Description: p.Description, Preview: p.Preview, Type: "website"}
	if h.Title != "" && p.Preview != "" {
		data.Title, data.Preview, data.Type = h.Title+": weir", h.Title, "video.other"
	}
	if h.Description != "" {
		data.Description = excerpt(h.Description, maxDescription)
	}
	if h.Origin != "" {
		data.URL = h.Origin + path
		data.Image = &image{URL: h.Origin + "/static/" + s.version + "/" + ownImage, Width: ownWidth, Height: ownHeight, Alt: "weir"}
		if h.Image != "" {
			data.Image = &image{URL: h.Origin + h.Image, Width: h.Width, Height: h.Height, Alt: "A picture of " + h.Title}
		}
	}
	var b bytes.Buffer
	if err := headFile.Execute(&b, data); err != nil { // it is ours, and a Buffer takes everything
		panic(fmt.Sprintf("web: head of a page: %v", err))
	}
	return b.Bytes()
}

// excerpt returns the beginning of a text in one line, of at most limit characters.
func excerpt(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	begin := string([]rune(text)[:limit-1])
	// At the end of a word, in scripts that part them.
	if space := strings.LastIndexByte(begin, ' '); space > len(begin)/2 {
		begin = begin[:space]
	}
	return begin + "…"
}
