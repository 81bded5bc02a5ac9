package signaling

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Handler answers a request that may be done.
type Handler func(http.ResponseWriter, *http.Request, Intent)

// AnyMethod, in Route.Methods, is for all methods: the Handler refuses those that it
// does not take.
const AnyMethod = "*"

// Route is a resource of the server.
type Route struct {
	// Pattern is one of http.ServeMux, without a method.
	Pattern string
	// Methods says what each method asks for. HEAD asks for what GET does, unless it is
	// there itself. OPTIONS, unless it is there, is answered with the list of methods;
	// what is not there is answered with 405.
	Methods map[string]Action
	// Target completes an intent with what it is about. It may be nil: then that is the
	// stream whose name is the path value "name", if there is one.
	Target func(*http.Request, *Intent)
	// Own keeps pages of other origins from reading the answers: it leaves out CORS.
	Own bool
	// Serve answers what may be done.
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

// NewRoutes returns no routes yet. Without an Authorizer it is Anyone; without a log
// nothing is logged.
func NewRoutes(a Authorizer, log *slog.Logger) *Routes {
	if a == nil {
		a = Anyone{}
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Routes{mux: http.NewServeMux(), authorizer: a, log: log}
}

// Add adds a route. It panics if the route does not say what its methods ask for, as
// http.ServeMux does if the pattern is not right.
func (rs *Routes) Add(route Route) {
	if route.Serve == nil || len(route.Methods) == 0 {
		panic("signaling: " + route.Pattern + " serves nothing, or does not say which actions its methods are")
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

// Authorize asks the Authorizer about a message that came through a WebSocket which r
// has opened.
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

// refuse answers a request that may not be done.
func (rs *Routes) refuse(w http.ResponseWriter, r *http.Request, i Intent, err error) {
	status := WriteError(w, err)
	level, what := slog.LevelDebug, "request refused"
	if i.begins() {
		level, what = slog.LevelInfo, "session refused"
	}
	rs.log.Log(r.Context(), level, what, "action", i.Action, "stream", clip(i.Name), "path", clip(r.URL.Path), "status", status, "reason", err)
}

// action returns what a method asks for, or nothing, and whether the route's Handler
// is to answer it.
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
