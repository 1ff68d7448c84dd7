namespace Meanwhile.Trials.Processes;

/// <summary>Programs of others on this machine.</summary>
internal static class InstalledProgram
{
    /// <summary>The path of a program, or null. Daemons are found even where PATH leaves them out.</summary>
    public static string? Find(string name) => FindAll(name).FirstOrDefault();

    /// <summary>The paths of all programs of a name, the first in PATH first.</summary>
    public static IEnumerable<string> FindAll(string name)
    {
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];
        return folders.Select(folder => Path.Combine(folder, name)).Where(File.Exists);
    }
}
