using System.Diagnostics;
using System.Text;

namespace Meanwhile.Tests.Support;

/// <summary>A named pipe whose reader sleeps until the test wants it to read.</summary>
internal sealed class Fifo : IDisposable
{
    private const int Capacity = 1 << 16; // Linux's own.

    private readonly FileStream _stream;
    private readonly StringBuilder _text = new();
    private bool _isAwake;

    private Fifo(string path) => _stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);

    /// <summary>What was read so far, without what it was filled with.</summary>
    public string Text
    {
        get
        {
            lock (_text)
                return _text.ToString().TrimStart('#');
        }
    }

    /// <summary>Makes one, which exists as long as the test's folder.</summary>
    /// <param name="isFull">There is no room for a single byte.</param>
    public static Fifo Create(string path, bool isFull = false)
    {
        using (var mkfifo = Process.Start("mkfifo", [path]))
            mkfifo.WaitForExit();
        var fifo = new Fifo(path);
        if (isFull)
            fifo._stream.Write(Encoding.ASCII.GetBytes(new string('#', Capacity)));
        return fifo;
    }

    /// <summary>Reads from now on.</summary>
    public void WakeUp()
    {
        _isAwake = true;
        new Thread(Read) { IsBackground = true }.Start();
    }

    /// <summary>Waits until a text was read.</summary>
    public Task ReadsAsync(string text) => Until.TrueAsync(() => Text.Contains(text, StringComparison.Ordinal), () => $"waiting for '{text}'; read:\n{Text}");

    public void Dispose()
    {
        if (_isAwake)
            _stream.WriteByte(0); // Its reader would hold the file open.
        _stream.Dispose();
    }

    private void Read()
    {
        try
        {
            var buffer = new byte[Capacity];
            while (_stream.Read(buffer) is > 0 and var length)
            {
                lock (_text)
                    _text.Append(Encoding.UTF8.GetString(buffer, 0, length));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
