using System.Runtime.CompilerServices;

namespace Meanwhile.Tests.Support;

/// <summary>The files of the repository that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath("../../..", Path.GetDirectoryName(Here())!);

    /// <summary>The C# files below a folder, without what a build makes: full paths, in order.</summary>
    public static IEnumerable<string> CSharpFiles(string folder) => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
        .Where(path => !Path.GetRelativePath(Root, path).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"))
        .Order(StringComparer.Ordinal);

    private static string Here([CallerFilePath] string path = "") => path;
}
