namespace Meanwhile.Trials.Processes;

/// <summary>Programs of others on this machine.</summary>
internal static class InstalledProgram
{
    /// <summary>The path of a program, or null. Daemons are found even where PATH leaves them out.</summary>
    public static string? Find(string name)
    {
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];
        return folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }
}
