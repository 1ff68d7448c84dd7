using System.Runtime.InteropServices;

namespace Meanwhile.Logging;

/// <summary>Standard output and standard error, written to without the runtime's own streams: those hide that a reader has gone.</summary>
internal static class StandardHandle
{
    public const int Output = 1;
    public const int Error = 2;

    private const int Interrupted = 4; // EINTR
    private const short Writable = 4; // POLLOUT

    // Another process may have made what it shares with us non-blocking.
    private static readonly int NotNow = OperatingSystem.IsMacOS() ? 35 : 11; // EAGAIN

    /// <summary>Writes all, however long that takes.</summary>
    /// <exception cref="OutputException">It cannot be written.</exception>
    public static void Write(int handle, ReadOnlySpan<byte> bytes)
    {
        if (OperatingSystem.IsWindows())
        {
            using var console = handle == Output ? Console.OpenStandardOutput() : Console.OpenStandardError();
            console.Write(bytes);
            return;
        }
        while (bytes.Length > 0)
        {
            var written = WriteSome(handle, in MemoryMarshal.GetReference(bytes), bytes.Length);
            if (written >= 0)
                bytes = bytes[(int)written..];
            else
                Heed(handle, Marshal.GetLastPInvokeError());
        }
    }

    private static void Heed(int handle, int error)
    {
        if (error == Interrupted)
            return;
        if (error != NotNow)
            throw OutputException.Of(handle, error);
        var wait = new Awaited { Handle = handle, Events = Writable };
        _ = Poll(ref wait, 1, -1);
    }

    [DllImport("libc", EntryPoint = "write", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint WriteSome(int handle, in byte first, nint length);

    [DllImport("libc", EntryPoint = "poll", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Poll(ref Awaited handle, nuint count, int timeout);

    // What poll takes.
    [StructLayout(LayoutKind.Sequential)]
    private struct Awaited
    {
        public int Handle;
        public short Events;
        public short Returned;
    }
}
