using System.Security.Cryptography;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>What VMs start from, made by <c>infra/vm-image</c> and never written to.</summary>
/// <param name="Kernel">Path of the kernel.</param>
/// <param name="Initramfs">Path of what finds the base.</param>
/// <param name="Base">Path of the read-only disk that all VMs share.</param>
/// <param name="Digest">Tells one image from another, in hexadecimal digits.</param>
internal sealed record VmImage(string Kernel, string Initramfs, string Base, string Digest)
{
    /// <summary>Looks whether an image is there whole.</summary>
    /// <exception cref="VmException">It is not.</exception>
    public static VmImage Open(string directory)
    {
        string[] files = ["kernel", "initramfs", "base", "manifest"];
        var missing = files.Where(file => !File.Exists(Path.Combine(directory, file))).ToList();
        if (missing.Count > 0)
            throw new VmException($"{directory} is no image of a VM ({string.Join(", ", missing)} missing): build one with 'infra/vm-image {directory}', or set Agent:VmImage.");
        var digest = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(directory, "manifest"))));
        return new VmImage(Path.Combine(directory, "kernel"), Path.Combine(directory, "initramfs"), Path.Combine(directory, "base"), digest);
    }
}
