using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace Hosting.HostAgent.Utilization;

/// <summary>A file of the kernel, kept open: reading it again costs one system call and no memory.</summary>
internal sealed class KernelFile(string path) : IDisposable
{
    private readonly byte[] _buffer = new byte[8192];
    private SafeFileHandle? _handle;

    /// <summary>Its content, valid until the next call; empty when it is not there.</summary>
    public ReadOnlySpan<byte> Read()
    {
        try
        {
            _handle ??= File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return _buffer.AsSpan(0, RandomAccess.Read(_handle, _buffer, 0));
        }
        catch (IOException)
        {
            // A group that was removed and made again has a new file behind the same name.
            _handle?.Dispose();
            _handle = null;
            return [];
        }
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

    public void Dispose() => _handle?.Dispose();
}
