import FXCore
import Foundation
import Testing

@Suite final class FileTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "fx-files-\(UUID())").path

  init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// What is no regular file is refused at once, by what it is.
  @Test(.timeLimit(.minutes(1))) func onlyRegularFilesAreMapped() throws {
    #expect(throws: FileError(path: folder, operation: .open, code: EISDIR)) { try MappedFile(path: folder) }
    let pipe = folder + "/pipe"
    try #require(mkfifo(pipe, 0o600) == 0)
    #expect(throws: FileError(path: pipe, operation: .map, code: ENOTSUP)) { try MappedFile(path: pipe) }
    #expect(throws: FileError(path: "/dev/null", operation: .map, code: ENOTSUP)) { try MappedFile(path: "/dev/null") }
    let missing = folder + "/missing"
    #expect(throws: FileError(path: missing, operation: .open, code: ENOENT)) { try MappedFile(path: missing) }
  }

  @Test func failuresLeaveNothingBehind() throws {
    struct Failure: Error {}
    let target = folder + "/target"
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    #expect(throws: FileError(path: target, operation: .write, code: EISDIR)) { try AtomicFile.write([1], to: target) }
    let kept = folder + "/kept"
    try AtomicFile.write([7], to: kept)
    #expect(throws: Failure.self) { try AtomicFile.write(kept) { _ in throw Failure() } }
    #expect(FileManager.default.contents(atPath: kept) == Data([7]))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["kept", "target"])
    let nowhere = folder + "/none/file"
    #expect(throws: FileError(path: nowhere, operation: .create, code: ENOENT)) { try AtomicFile.write([1], to: nowhere) }
  }

  @Test func foldersAreMadeWithThoseAboveThem() throws {
    let deep = folder + "/a//b/c/"
    try Folder.make(deep)
    try Folder.make(deep)
    try AtomicFile.write([1], to: deep + "file")
    try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "a/b")
    try Folder.make(folder + "/link")
    let inFile = deep + "file/folder"
    #expect(throws: FileError(path: inFile, operation: .create, code: ENOTDIR)) { try Folder.make(inFile) }
    #expect(throws: FileError(path: deep + "file", operation: .create, code: EEXIST)) { try Folder.make(deep + "file") }
    #expect(throws: FileError(path: "", operation: .create, code: ENOENT)) { try Folder.make("") }
    #expect(FileError(path: "out", operation: .create, code: EROFS).description == "cannot create out: Read-only file system")
  }

  /// A file written has the permissions that any new file has, not those of a temporary one.
  @Test func permissionsAreThoseOfNewFiles() throws {
    func permissions(_ path: String) throws -> Int {
      try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }
    let (usual, written) = (folder + "/usual", folder + "/written")
    close(open(usual, O_WRONLY | O_CREAT, 0o666))
    try AtomicFile.write([1], to: written)
    #expect(try permissions(written) == permissions(usual))
  }
}
