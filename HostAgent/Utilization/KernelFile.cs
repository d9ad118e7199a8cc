using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace Hosting.HostAgent.Utilization;

/// <summary>A file of the kernel, kept open: reading it again costs one system call and no memory.</summary>
internal sealed class KernelFile(string path) : IDisposable
{
    // One for all files that a thread reads: there are some for each container.
    [ThreadStatic]
    private static byte[]? _buffer;

    private SafeFileHandle? _handle;

    /// <summary>Its content, valid until the thread reads the next file; empty when it is not there.</summary>
    public ReadOnlySpan<byte> Read()
    {
        try
        {
            _handle ??= File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            _buffer ??= new byte[8192];
            return _buffer.AsSpan(0, RandomAccess.Read(_handle, _buffer, 0));
        }
        catch (IOException)
        {
            // A group that was removed and made again has a new file behind the same name.
            Close();
            return [];
        }
    }

    /// <summary>Its content, of a file that the kernel answers in several pieces; valid and empty as with <see cref="Read"/>.</summary>
    public ReadOnlySpan<byte> ReadAll()
    {
        var length = Read().Length;
        while (length > 0 && _handle is not null)
        {
            if (length == _buffer!.Length)
                Array.Resize(ref _buffer, length * 2);
            var more = RandomAccess.Read(_handle, _buffer.AsSpan(length), length);
            if (more == 0)
                break;
            length += more;
        }

        return _buffer.AsSpan(0, length);
    }

    /// <summary>The number after a word at the start of a line (an empty word: the number the file starts with); 0 when there is none.</summary>
    public static long Number(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word)
    {
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            if (line.StartsWith(word) && Utf8Parser.TryParse(line[word.Length..].TrimStart((byte)' '), out long number, out _))
                return number;
        }

        return 0;
    }

    /// <summary>Gives the handle back; the next call opens the file anew.</summary>
    public void Close()
    {
        _handle?.Dispose();
        _handle = null;
    }

    public void Dispose() => Close();
}
