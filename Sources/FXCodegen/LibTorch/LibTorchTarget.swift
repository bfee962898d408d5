import FXCore
import FXTrace

/// A C++ class on ATen's tensors, with its weights in a safetensors file: C++20 against LibTorch.
public struct LibTorchTarget: CodeTarget {
  public let name = "libtorch"
  public let summary = "a C++ class on LibTorch's tensors"
  /// How calls are spelled; each row is asked for C++.
  public var rows: TorchRows

  /// Writes by the rows of this package, unless others are given.
  public init(rows: TorchRows = .standard) { self.rows = rows }

  public func refusal(of node: Node, in graph: Graph) -> String? {
    for value in node.results {
      guard graph.type(of: .value(value)).tensorType != nil || graph.type(of: .value(value)) == .unknown else {
        return "\(graph.type(of: .value(value))) is not a tensor"
      }
    }
    return rows.refusal(of: node, in: graph, .cpp)
  }

  public func emit(_ graph: Graph, _ options: CodegenOptions) throws -> GeneratedProgram {
    // What is stored, and what functions the calls need, is known only when they are written.
    let draft = try written(graph, reserved: [], paths: [:]).writer.dialect
    let functions = draft.functions.map(\.name)
    try CodegenError.requireDistinct(functions, in: graph, for: self.name)
    let reserved = LibTorchTarget.reserved.union(functions)
    let name = options.programName(of: graph, reserved: reserved.union(Identifiers.cLibrary))
    let stored = draft.stored
    let tree = try ModuleTree(graph.parameterIDs.filter(stored.contains), of: graph)
    // Members of the class, in the order of the graph's parameters.
    var identifiers = Identifiers(reserved: reserved)
    var members: [(id: ParameterID, name: String)] = []
    for id in graph.parameterIDs where stored.contains(id) {
      members.append((id, identifiers.unique(tree.keys[id] ?? "weight") + "_"))
    }
    let paths = Dictionary(uniqueKeysWithValues: members.map { ($0.id, $0.name) })
    let (writer, inputs, results) = try written(graph, reserved: reserved, paths: paths)
    var weights: [String: Tensor] = [:]
    for (id, key) in tree.keys {
      if let tensor = try graph[id].tensor { weights[key] = try tensor.converted(to: TorchTypes.storage(tensor.elementType)) }
    }
    var program = GeneratedProgram()
    let keyed = members.map { (name: $0.name, key: tree.keys[$0.id] ?? $0.name) }
    program.add("\(name).cpp", source(graph, name, inputs, results, writer, keyed))
    if !weights.isEmpty { program.add("\(name).safetensors", try Safetensors.encode(weights)) }
    return program
  }

  private func written(
    _ graph: Graph, reserved: Set<String>, paths: [ParameterID: String]
  ) throws -> (writer: RegionWriter<TorchDialect>, inputs: [String], results: [String]) {
    var writer = RegionWriter(
      graph, TorchDialect(rows: rows, language: .cpp, paths: paths), identifiers: Identifiers(reserved: reserved),
      source: SourceText(indent: 2, depth: 2))
    let inputs = graph.inputs.map { writer.identifiers.unique(graph.name(of: $0)) }
    let results = try writer.write(graph.body, arguments: inputs)
    return (writer, inputs, results)
  }

  private func source(
    _ graph: Graph, _ name: String, _ inputs: [String], _ results: [String], _ writer: RegionWriter<TorchDialect>,
    _ members: [(name: String, key: String)]
  ) -> String {
    let functions = writer.dialect.functions.sorted { $0.name < $1.name }
    let body = writer.source.text
    let className = Identifiers.capitalized(name)
    var text = SourceText(indent: 2)
    text.add("// The graph \(graph.name.oneLine) in C++ with LibTorch.")
    for (input, value) in zip(inputs, graph.inputs) { text.add("//   \(input): \(graph.type(of: .value(value)))") }
    let types = zip(graph.outputNames, graph.outputs).map { "\($0.oneLine): \(graph.type(of: $1))" }
    text.add("// returns \(types.joined(separator: ", "))")
    text.add("#include <ATen/ATen.h>\n#include <ATen/TensorIndexing.h>\n")
    text.add(
      "#include <algorithm>\n#include <cmath>\n#include <cstring>\n#include <fstream>\n#include <optional>\n#include <string>")
    text.add("#include <tuple>\n#include <vector>\n")
    text.add("namespace \(name) {\nusing at::indexing::None;\nusing at::indexing::Slice;\n")
    for (token, source) in LibTorchTarget.prelude where (body + functions.compactMap(\.cpp).joined()).contains(token) {
      text.add(source + "\n")
    }
    if !members.isEmpty { text.add(LibTorchTarget.reader + "\n") }
    for function in functions { text.add((function.cpp ?? "") + "\n") }
    text.add("class \(className) {\n public:")
    text.depth = 1
    if members.isEmpty {
      text.add("\(className)() = default;\n")
    } else {
      text.add("// Reads the weights from a file of the safetensors format.")
      text.add("explicit \(className)(const std::string& path) {")
      text.add("  const SafetensorsFile file(path);")
      for member in members { text.add("  \(member.name) = file.read(\(member.key.sourceQuoted));") }
      text.add("}\n")
    }
    let parameters = inputs.map { "const at::Tensor& \($0)" }.joined(separator: ", ")
    text.add("\(results.count == 1 ? "at::Tensor" : "std::vector<at::Tensor>") forward(\(parameters)) const {")
    text.depth = 0
    var source = text.text + body
    source += results.count == 1 ? "    return \(results[0]);\n  }\n" : "    return {\(results.joined(separator: ", "))};\n  }\n"
    if !members.isEmpty {
      source += "\n private:\n" + members.map { "  at::Tensor \($0.name);\n" }.joined()
    }
    return source + "};\n\n}  // namespace \(name)\n"
  }

  private static let reserved = Identifiers.cpp.union(Identifiers.macros).union(TorchFunction.all.map(\.name)).union([
    "at", "c10", "torch", "std", "Slice", "None", "integers", "tuple_of", "sizes_of", "SafetensorsFile", "exp", "log", "sqrt",
    "sin", "cos", "tan", "floor", "ceil", "round", "abs", "erf", "pow", "index", "y0", "y1", "j0", "j1", "div", "remainder",
    "signal", "time", "gamma", "forward", "path", "file",
  ])

  /// Functions that programs define where they use them.
  private static let prelude: [(token: String, source: String)] = [
    (
      "integers(",
      """
      inline std::vector<int64_t> integers(const at::Tensor& x) {
        const auto flat = x.to(at::kLong).contiguous();
        return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
      }
      """
    ),
    (
      "sizes_of(",
      """
      // The sizes of x from a start to an end.
      inline at::Tensor sizes_of(const at::Tensor& x, int64_t start, int64_t end) {
        const int64_t rank = x.dim();
        const auto place = [&](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + rank : i, 0, rank); };
        const auto sizes = x.sizes().slice(place(start), std::max<int64_t>(0, place(end) - place(start)));
        return at::tensor(std::vector<int64_t>(sizes.begin(), sizes.end()), at::kLong);
      }
      """
    ),
    (
      "tuple_of<",
      """
      template <size_t... I>
      auto tuple_of(const std::vector<at::Tensor>& parts, std::index_sequence<I...>) {
        return std::make_tuple(parts.at(I)...);
      }
      template <size_t N>
      auto tuple_of(const std::vector<at::Tensor>& parts) {
        return tuple_of(parts, std::make_index_sequence<N>());
      }
      """
    ),
  ]

  private static let reader = """
    // A file of the safetensors format: a header in JSON, then the tensors' bytes.
    class SafetensorsFile {
     public:
      explicit SafetensorsFile(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        TORCH_CHECK(file, "cannot open ", path);
        bytes_.assign(std::istreambuf_iterator<char>(file), {});
        TORCH_CHECK(bytes_.size() >= 8, path, " is too short");
        uint64_t size;
        std::memcpy(&size, bytes_.data(), 8);
        header_.assign(bytes_, 8, size);
        start_ = 8 + size;
      }

      at::Tensor read(const std::string& name) const {
        const auto entry = header_.find("\\"" + name + "\\":{");
        TORCH_CHECK(entry != std::string::npos, "no tensor ", name);
        const auto quoted = header_.find("\\"dtype\\":\\"", entry) + 9;
        const std::string dtype = header_.substr(quoted, header_.find('"', quoted) - quoted);
        const auto shape = numbers("\\"shape\\":[", entry);
        const auto range = numbers("\\"data_offsets\\":[", entry);
        auto tensor = at::empty(shape, type(dtype));
        if (tensor.numel() > 0) std::memcpy(tensor.data_ptr(), bytes_.data() + start_ + range.at(0), range.at(1) - range.at(0));
        return tensor;
      }

     private:
      std::vector<int64_t> numbers(const std::string& key, size_t from) const {
        std::vector<int64_t> values;
        for (auto at = header_.find(key, from) + key.size(); header_[at] != ']';) {
          size_t used = 0;
          values.push_back(std::stoll(header_.substr(at, 20), &used));
          at += used + (header_[at + used] == ',');
        }
        return values;
      }

      static at::ScalarType type(const std::string& name) {
        const std::pair<const char*, at::ScalarType> types[] = {
            {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"I64", at::kLong},
            {"I32", at::kInt}, {"I16", at::kShort}, {"I8", at::kChar}, {"U8", at::kByte}, {"BOOL", at::kBool},
            {"U16", at::kUInt16}, {"U32", at::kUInt32}, {"U64", at::kUInt64}, {"F8_E4M3", at::kFloat8_e4m3fn},
            {"F8_E5M2", at::kFloat8_e5m2}, {"C64", at::kComplexFloat}};
        for (const auto& [known, type] : types) if (name == known) return type;
        TORCH_CHECK(false, "no element type ", name);
      }

      std::string bytes_, header_;
      size_t start_ = 0;
    };
    """
}

extension Identifiers {
  static let cpp: Set<String> = [
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char", "class",
    "compl", "concept", "const", "consteval", "constexpr", "constinit", "continue", "co_await", "co_return", "co_yield",
    "decltype", "default", "delete", "do", "double", "else", "enum", "explicit", "export", "extern", "false", "float", "for",
    "friend", "goto", "if", "inline", "int", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr",
    "operator", "or", "or_eq", "private", "protected", "public", "register", "requires", "return", "short", "signed", "sizeof",
    "static", "struct", "switch", "template", "this", "throw", "true", "try", "typedef", "typeid", "typename", "union",
    "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq", "main", "linux", "unix",
    "char8_t", "char16_t", "char32_t", "const_cast", "dynamic_cast", "reinterpret_cast", "static_assert", "static_cast",
    "thread_local",
  ]

  /// Macros of the standard headers.
  static let macros: Set<String> = [
    "NAN", "INFINITY", "NULL", "EOF", "errno", "M_PI", "I", "stdin", "stdout", "stderr", "assert", "i386",
  ]

  /// What C's library has at the top level, where no namespace can have the same name.
  static let cLibrary = Set(
    """
    abort abs accept access acos acosh alarm asctime asin asinh atan atan2 atanh atexit atof atoi atol atoll bcmp bcopy bind brk
    bsearch bzero calloc cbrt ceil chdir chmod chown clearerr clock close confstr connect copysign cos cosh creat crypt ctime
    daemon daylight difftime div div_t dprintf drem dup dup2 environ erf erfc execv execve exit exp exp2 expm1 fabs fclose fcntl
    fdim feof ferror fflush ffs fgetc fgets fileno floor fma fmax fmin fmod fopen fork fprintf fputc fputs fread free freopen
    frexp fscanf fseek ftell fwrite gamma getc getchar getenv getopt getpid gets gettimeofday getw gmtime hypot ilogb index ioctl
    isalnum isalpha isatty iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit j0 j1 jn kill labs ldexp ldiv
    lgamma link listen llabs lldiv llrint llround localtime log log10 log1p log2 logb longjmp lrint lround lseek malloc mblen
    memchr memcmp memcpy memmove memset mkdir mktime modf mount nan nanosleep nearbyint nextafter nice open optarg option optind
    pause perror pipe poll pow pread printf putc putchar putenv puts pwrite qsort raise rand random read readlink realloc reboot
    recv remainder remove remquo rename rewind rindex rint rmdir round sbrk scalb scalbn scanf select send setbuf setenv
    shutdown sigaction signal signgam significand sin sinh size_t sleep snprintf socket sprintf sqrt srand srandom sscanf
    ssize_t stat stime strcat strchr strcmp strcpy strdup strlen strncmp strncpy strstr strtod strtok strtol swab symlink sync
    sysconf syscall system tan tanh tempnam tgamma time times timespec timeval timezone tm tmpfile tmpnam tolower toupper trunc
    truncate ttyname tzname tzset uint ulong umask uname ungetc unlink unsetenv ushort usleep utime vfork wait write y0 y1 yn
    """.split(whereSeparator: \.isWhitespace).map(String.init))
}

extension Graph {
  /// The source of a C++ class on LibTorch's tensors. The weights are in the program that `CodeGenerator` gives.
  /// - Throws: as `CodeGenerator.generate`.
  public func toCpp() throws -> String { try CodeGenerator().generateCode(self, target: "libtorch") }
}
