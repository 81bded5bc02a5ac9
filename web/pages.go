package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// layout.html holds what all pages have in common, head.html what is filled for each
// request; a file beside them holds the page's own, the main element. What two of those
// share is a template that they name: player.html, keys.html.
//
//go:embed pages
var pageFiles embed.FS

const layoutFile = "layout.html"

// page is what the layout has to know of a page.
type page struct {
	Title, Description string
	Preview            string   // what other sites call a link to it; "": they are told nothing
	Styles             []string // below css/, behind those of all pages
	Script             string   // below static/; "": none
	Current            string   // the entry of the navigation that is this page
	GoLive             bool     // the navigation leads to /publish
	Line               bool     // water under the header

	Preloads []string      // what Script imports; filled in
	Head     template.HTML // headMark; filled in
	Main     template.HTML // the page's own file; filled in
}

// commonStyles are those of all pages.
var commonStyles = []string{"tokens", "base", "frame", "controls"}

var pages = map[string]page{
	"home.html": {
		Title: "weir: live now", Preview: "Live now", Description: "What is live on this server, and what was recorded lately.",
		Styles: []string{"cards", "home"}, Script: "app/home.js", Current: "live",
	},
	"publish.html": {
		Title: "Go live: weir", Preview: "Go live", Description: "Broadcast from your camera or your screen.",
		Styles: []string{"stage", "publish"}, Script: "app/publish.js", Line: true,
	},
	"watch.html": {
		Title: "Watch: weir", Preview: "Watch live", Description: "Watch a broadcast live.",
		Styles: []string{"stage", "player", "cards", "watch"}, Script: "app/watch.js", GoLive: true, Line: true,
	},
	"recordings.html": {
		Title: "Recordings: weir", Preview: "Recordings", Description: "Broadcasts recorded on this server.",
		Styles: []string{"cards", "recordings"}, Script: "app/recordings.js", Current: "recordings", GoLive: true, Line: true,
	},
	"recording.html": {
		Title: "Recording: weir", Preview: "Recording", Description: "A broadcast recorded on this server.",
		Styles: []string{"stage", "player", "cards", "watch", "recording"}, Script: "app/recording.js", GoLive: true, Line: true,
	},
	"404.html": {
		Title: "Not found: weir", Description: "There is no page at this address.",
		Styles: []string{"lost"}, GoLive: true, Line: true,
	},
}

// styleName is the name, below css/, of the style that holds these.
func styleName(styles []string) string { return strings.Join(styles, "_") }

// addStyles puts together the styles that go out as one: those of all pages, which stay
// as a visitor goes from page to page, and the page's own. Each by itself would be
// another answer, whose head is a third of it.
func (s *site) addStyles() {
	lists := [][]string{commonStyles}
	for _, p := range pages {
		lists = append(lists, p.Styles)
	}
	for _, list := range lists {
		var all []byte
		for _, name := range list {
			f, ok := s.lean["css/"+name+".css"]
			if !ok {
				panic("web: there is no style " + name)
			}
			all = append(all, f.body...)
		}
		s.lean["css/"+styleName(list)+".css"] = newAsset(all, contentTypes[".css"])
	}
}

// headMark stands in a page where its head goes.
const headMark = "<!-- head -->\n"

// A document is a page but for what is filled for each request.
type document struct {
	page
	before, after []byte // of its head
}

// rootRef is how a page refers to something of the server's.
var rootRef = []byte(`="/`)

// at returns a page as it goes out at a path. The page refers to the server's root;
// what goes out says how to get there from that path, since only the browser knows
// what a proxy has put in front of it. The head has whole addresses, and words of users
// that may look like one.
func (d document) at(path string, head []byte) file {
	up := "./"
	if depth := strings.Count(path, "/") - 1; depth > 0 {
		up = strings.Repeat("../", depth)
	}
	relative := func(part []byte) []byte { return bytes.ReplaceAll(part, rootRef, []byte(`="`+up)) }
	f := newFile(slices.Concat(relative(d.before), head, relative(d.after)), contentTypes[".html"])
	f.gzipped = pack(f.body, quickPacking)
	return f
}

// addPages puts the pages together and adds them to the site, which holds the
// scripts. As with load, an error would be a defect of the build.
func (s *site) addPages(fsys fs.FS) {
	s.pages = map[string]document{}
	all := template.Must(template.ParseFS(fsys, "pages/*.html"))
	for name, p := range pages {
		var own strings.Builder
		if err := all.ExecuteTemplate(&own, name, nil); err != nil {
			panic(fmt.Sprintf("web: page %s: %v", name, err))
		}
		p.Head = headMark
		p.Styles = []string{styleName(commonStyles), styleName(p.Styles)}
		p.Main = template.HTML(own.String()) // ours
		if p.Script != "" {
			p.Preloads = s.imports(p.Script)
		}
		var b bytes.Buffer
		if err := all.ExecuteTemplate(&b, layoutFile, p); err != nil {
			panic(fmt.Sprintf("web: page %s: %v", name, err))
		}
		body := bytes.ReplaceAll(b.Bytes(), staticRef, []byte(string(staticRef)+s.version+"/"))
		before, after, _ := bytes.Cut(body, []byte(headMark))
		s.pages[name] = document{page: p, before: before, after: after}
	}
}

var (
	// staticRef is how the files of a page refer to an asset.
	staticRef = []byte(`="/static/`)
	// importOf is how a module names another one that it cannot run without. One that it
	// fetches by import() is for later, if ever.
	importOf = regexp.MustCompile(`\b(?:from|import)\s*'(\.[^']+)'`)
	// comment may import types, which are not there when the page runs.
	comment = regexp.MustCompile(`(?s)/\*.*?\*/`)
)

// imports returns all modules that a script needs to run, in the order of their names. A
// page that does not name them in advance would fetch them one level of imports
// after the other.
func (s *site) imports(script string) []string {
	needed := map[string]bool{}
	var follow func(module string)
	follow = func(module string) {
		for _, found := range importOf.FindAllSubmatch(comment.ReplaceAll(s.assets[module].body, nil), -1) {
			next := path.Join(path.Dir(module), string(found[1]))
			if !needed[next] {
				needed[next] = true
				follow(next)
			}
		}
	}
	follow(script)
	return slices.Sorted(maps.Keys(needed))
}
