package signaling

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Handler answers a request whose intent was allowed.
type Handler func(http.ResponseWriter, *http.Request, Intent)

// AnyMethod, in Route.Methods, is for all methods: the Handler refuses those that it
// does not take.
const AnyMethod = "*"

// Route is a resource of the server.
type Route struct {
	// Pattern is one of http.ServeMux, without a method.
	Pattern string
	// Methods has the action of each method. HEAD has that of GET unless it has one of
	// its own. OPTIONS without one of its own is answered with the list of methods, and
	// any other method without one with 405.
	Methods map[string]Action
	// Target sets the stream, session or recording that an intent is about. It may be
	// nil: the path value "name", if there is one, is the name of a stream already.
	Target func(*http.Request, *Intent)
	// Own leaves out CORS: only pages of the server's own origin can read the answers.
	Own bool
	// Serve answers the requests that were allowed.
	Serve Handler
}

// Routes are all resources of a server. Each request is read once into an Intent, the
// Authorizer is asked once, and only then is it served. Add them all before the first
// request.
type Routes struct {
	// set once
	mux        *http.ServeMux
	authorizer Authorizer
	log        *slog.Logger
	all        []Route
}

// NewRoutes returns Routes without any route. A nil Authorizer is Anyone, and a nil log
// discards.
func NewRoutes(a Authorizer, log *slog.Logger) *Routes {
	if a == nil {
		a = Anyone{}
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Routes{mux: http.NewServeMux(), authorizer: a, log: log}
}

// Add adds a route. It panics if a method of the route has no action, and, as
// http.ServeMux does, if the pattern is wrong or there already.
func (rs *Routes) Add(route Route) {
	if route.Serve == nil || len(route.Methods) == 0 {
		panic("signaling: " + route.Pattern + " has no Handler or no methods")
	}
	for method, action := range route.Methods {
		if action == "" {
			panic("signaling: " + method + " " + route.Pattern + " has no action")
		}
	}
	rs.all = append(rs.all, route)
	serve := func(w http.ResponseWriter, r *http.Request) { rs.serve(w, r, route) }
	if !route.Own {
		serve = cors(serve)
	}
	rs.mux.HandleFunc(route.Pattern, serve)
}

// All returns the routes, in the order of their patterns.
func (rs *Routes) All() []Route {
	return slices.SortedFunc(slices.Values(rs.all), func(a, b Route) int { return strings.Compare(a.Pattern, b.Pattern) })
}

// ServeHTTP implements http.Handler.
func (rs *Routes) ServeHTTP(w http.ResponseWriter, r *http.Request) { rs.mux.ServeHTTP(w, r) }

// Authorize asks the Authorizer about a message that came through the WebSocket that r
// opened.
func (rs *Routes) Authorize(r *http.Request, i Intent) error { return rs.authorizer.Authorize(r, i) }

// serve answers a request of a route.
func (rs *Routes) serve(w http.ResponseWriter, r *http.Request, route Route) {
	action, served := route.action(r.Method)
	if action == "" {
		MethodNotAllowed(w, route.allowed())
		return
	}
	i, err := readIntent(r, action)
	if route.Target != nil {
		route.Target(r, &i)
	}
	if err == nil {
		err = rs.authorizer.Authorize(r, i)
	}
	switch {
	case err != nil:
		rs.refuse(w, r, i, err)
	case served:
		route.Serve(w, r, i)
	default:
		w.Header().Set("Allow", route.allowed())
		w.WriteHeader(http.StatusNoContent)
	}
}

// refuse answers a request that is not allowed.
func (rs *Routes) refuse(w http.ResponseWriter, r *http.Request, i Intent, err error) {
	status := WriteError(w, err)
	level, what := slog.LevelDebug, "request refused"
	if i.begins() {
		level, what = slog.LevelInfo, "session refused"
	}
	rs.log.Log(r.Context(), level, what, "action", i.Action, "stream", clip(i.Name), "path", clip(r.URL.Path), "status", status, "reason", err)
}

// action returns the action of a method, or none, and whether the route's Handler is to
// answer it.
func (route Route) action(method string) (a Action, served bool) {
	for _, m := range []string{method, AnyMethod} {
		if a, ok := route.Methods[m]; ok {
			return a, true
		}
	}
	switch method {
	case http.MethodHead:
		a = route.Methods[http.MethodGet]
		return a, a != ""
	case http.MethodOptions:
		return Discover, false
	}
	return "", false
}

// allowed lists the methods.
func (route Route) allowed() string {
	methods := maps.Clone(route.Methods)
	methods[http.MethodOptions] = Discover
	if _, ok := methods[http.MethodGet]; ok {
		methods[http.MethodHead] = Discover
	}
	return strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
}
