using System.Diagnostics;

namespace Meanwhile.Tests.Support;

/// <summary>Something mounted for one test. It takes root's rights.</summary>
internal sealed class Mount : IDisposable
{
    private readonly string _path;

    private Mount(string path, params string[] arguments)
    {
        _path = path;
        Peers.Require(Environment.IsPrivilegedProcess && Run(Peers.RequireProgram("mount"), arguments), "nothing can be mounted here");
    }

    /// <summary>A disk of so many bytes.</summary>
    public static Mount SmallDisk(string folder, int bytes)
    {
        Directory.CreateDirectory(folder);
        return new Mount(folder, "-t", "tmpfs", "-o", $"size={bytes}", "tmpfs", folder);
    }

    /// <summary>Makes a file or folder that is there read-only, for root as well.</summary>
    public static Mount ReadOnly(string path) => ReadOnly(path, path);

    /// <summary>Shows a file or folder in another place, where it is read-only.</summary>
    public static Mount ReadOnly(string path, string place)
    {
        var mount = new Mount(place, "--bind", path, place);
        Assert.True(Run(Peers.RequireProgram("mount"), "-o", "remount,ro,bind", place));
        return mount;
    }

    public void Dispose() => Assert.True(Run(Peers.RequireProgram("umount"), _path));

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
