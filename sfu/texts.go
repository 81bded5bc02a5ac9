package sfu

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxTitle       = 120  // characters: code points
	maxDescription = 2000 // of these
)

// Texts are what a publisher says of its stream to people, in any script. They are plain
// text, and may be empty; the stream's name stays what it is.
type Texts struct {
	Title       string // one line
	Description string // may have line breaks
}

// Clean returns t without white space around its texts, and with line feeds for the line
// breaks of a form (CR LF). The error wraps [ErrBadTitle] or [ErrBadDescription] and says
// what to change, without repeating the text.
func (t Texts) Clean() (Texts, error) {
	t.Title = strings.TrimSpace(t.Title)
	if err := checkText(t.Title, maxTitle, false); err != nil {
		return Texts{}, fmt.Errorf("%w: %w", ErrBadTitle, err)
	}
	t.Description = strings.TrimSpace(strings.ReplaceAll(t.Description, "\r\n", "\n"))
	if err := checkText(t.Description, maxDescription, true); err != nil {
		return Texts{}, fmt.Errorf("%w: %w", ErrBadDescription, err)
	}
	for _, text := range []*string{&t.Title, &t.Description} {
		if !strings.ContainsFunc(*text, shows) {
			*text = ""
		}
	}
	return t, nil
}

// shows reports whether r is to be seen: a text of joiners and spaces alone is none.
func shows(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// checkText reports what is wrong with a text of at most that many characters.
func checkText(s string, most int, lines bool) error {
	if !utf8.ValidString(s) {
		return errors.New("it is not UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > most {
		return fmt.Errorf("it has %d characters, at most %d are allowed", n, most)
	}
	for _, r := range s {
		switch {
		case r == '\n' && lines:
		case unicode.IsControl(r), r == '\u2028', r == '\u2029': // the last two break lines as well
			if lines {
				return fmt.Errorf("it has the control character %U: take it out; of these a line break alone (line feed) is allowed", r)
			}
			return fmt.Errorf("it has the control character %U: take it out; it is one line of text", r)
		case turns(r):
			return fmt.Errorf("it has %U, which turns the direction of what follows: take it out; each script is shown in its own direction", r)
		}
	}
	return nil
}

// turns reports whether r begins or ends a stretch of text whose direction is forced
// (Unicode Bidirectional Algorithm, UAX #9, section 2): in a log, a mail or a preview one
// that is left open would turn around what stands behind the text. Marks that have no
// such reach (LRM, RLM, ALM) and joiners are part of how scripts and emoji are written.
func turns(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// after returns the texts of a stream that had the texts now, when a publisher comes back
// that says t, where publishers have said told before. A client that comes back by itself says again
// what it said at first, or nothing: what was changed meanwhile stays.
func (t Texts) after(told, now Texts) Texts {
	if t.Title != "" && t.Title != told.Title {
		now.Title = t.Title
	}
	if t.Description != "" && t.Description != told.Description {
		now.Description = t.Description
	}
	return now
}

// TextsChange is what is to be changed of texts: nil stays.
type TextsChange struct{ Title, Description *string }

// Of returns t with the change, clean. The error is that of [Texts.Clean].
func (c TextsChange) Of(t Texts) (Texts, error) {
	if c.Title != nil {
		t.Title = *c.Title
	}
	if c.Description != nil {
		t.Description = *c.Description
	}
	return t.Clean()
}

// Describe changes the texts of the stream of that name, and tells the watchers. The
// error is ErrNotLive if there is none, or that of [Texts.Clean].
func (h *Hub) Describe(name string, c TextsChange) (StreamInfo, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.streams[name]
	if s == nil {
		return StreamInfo{}, ErrNotLive
	}
	if err := s.describe(c); err != nil {
		return StreamInfo{}, err
	}
	return s.info(), nil
}

// Describe is what the publisher says of its stream from now on. Where it may go on with
// the stream of a publisher that was lost, it is said when that is decided. The error is
// ErrEnded if the publication is over, or that of [Texts.Clean].
func (p *Publication) Describe(c TextsChange) error {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	texts, err := c.Of(p.options.Texts)
	if err != nil {
		return err
	}
	s := p.stream()
	switch {
	case p.stage == stageOver:
		return ErrEnded
	case p.decided || s.state() != returning:
		if err := s.describe(c); err != nil {
			return err
		}
		s.told = texts.after(Texts{}, s.told)
	}
	p.options.Texts = texts
	return nil
}

// describe changes the texts of s. Called with hub.mu held.
func (s *stream) describe(c TextsChange) error {
	now := s.texts()
	next, err := c.Of(now)
	if err == nil && next != now {
		s.setTexts(next)
		s.hub.tell(StreamUpdated, s)
	}
	return err
}

func (s *stream) texts() Texts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said
}

func (s *stream) setTexts(t Texts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = t
}
