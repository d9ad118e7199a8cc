namespace Hosting.HostAgent.Files;

/// <summary>Replaces a file as a whole, so that a reader after any crash sees the old or the new content, never a part.</summary>
internal static class AtomicFile
{
    /// <summary>Writes beside it, to the disk, then renames.</summary>
    /// <param name="path">File to replace; its directory exists.</param>
    /// <param name="content">The new content.</param>
    /// <param name="durable">Wait for the disk; not needed for what does not outlive a reboot.</param>
    public static void Write(string path, ReadOnlySpan<byte> content, bool durable = true)
    {
        var temporary = path + ".new";
        using (var handle = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(handle, content, 0);
            if (durable)
                RandomAccess.FlushToDisk(handle);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
